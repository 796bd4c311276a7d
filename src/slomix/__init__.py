"""Slomix gets a community's game night started."""
