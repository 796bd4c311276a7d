"""Settings: read once from the environment and `.env`, checked, and passed on as one frozen object."""
