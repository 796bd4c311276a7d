"""The Discord process: records who is in voice, and decides nothing."""
