"""What a monitor is told: counts, ages and durations, and never of whom."""
