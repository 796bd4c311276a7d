"""Development only: simulated providers, PostgreSQL and Valkey from wheels, the rehearsal. Only `cli` imports it."""
