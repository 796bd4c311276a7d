"""Who is in voice, and how old that knowledge is."""
