"""Ways to reach a person or a room. A channel knows nothing of players, campaigns or tables, and tries once."""
