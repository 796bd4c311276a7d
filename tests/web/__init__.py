"""The web process as its visitors meet it: real application, real PostgreSQL, a browser a person."""
