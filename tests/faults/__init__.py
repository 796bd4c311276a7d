"""The fault matrix: that it counts right, and its short form."""
