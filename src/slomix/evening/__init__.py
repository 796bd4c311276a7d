"""What stands on Discord about an evening: one message in the announcement room, and one scheduled event."""
