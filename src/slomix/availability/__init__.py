"""Who plays when: one status per player and day, the queue, the calendar."""
