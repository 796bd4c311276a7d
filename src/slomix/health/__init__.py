"""Whether the parts of the system are alive, and since when they were last seen."""
