"""Settings: read once from the environment and `.env`, checked, and passed on in a frozen object."""
