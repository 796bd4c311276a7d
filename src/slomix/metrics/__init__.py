"""Metrics for a monitor: counts, ages and durations, without personal data."""
