"""The processes beside the web: worker, scheduler, inbox, Discord, and what they have in common."""
