"""Ways to reach a person or a room. A channel knows no players, campaigns or tables, and tries once."""
