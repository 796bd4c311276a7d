"""Slomix gets a community's game night started."""

import gc

# What a process reads at its start stays to its end; looking through it for garbage after every 700 objects, as Python
# does by itself, took a sixth of the time until the process works.
gc.set_threshold(20_000)
