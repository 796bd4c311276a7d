"""A promoter calls the evening together: reminder, start, voice check, follow-up, summary."""
