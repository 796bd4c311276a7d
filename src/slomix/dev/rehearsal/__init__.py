"""Plays one evening against real processes and judges it by what the provider saw."""
