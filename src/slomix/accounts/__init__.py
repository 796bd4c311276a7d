"""Identities: player profiles, website users, their 1:1 link, roles."""
