"""The pages that put capabilities together: the board, a day, the calendar, the profile."""
