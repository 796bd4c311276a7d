"""The health of the system's parts, and when they were last seen."""
