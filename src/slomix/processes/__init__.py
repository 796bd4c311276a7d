"""The processes beside the web: worker, scheduler, inbox, Discord, and their common parts."""
