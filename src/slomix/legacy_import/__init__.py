"""Moving in: what an earlier attempt at this site kept is read, decided upon row by row, and written once."""
