"""The thin Discord process: keeps who is in voice, decides nothing."""
