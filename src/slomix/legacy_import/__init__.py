"""The import from an earlier attempt at this site: read, decided row by row, and written once."""
