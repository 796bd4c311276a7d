"""The admins' pages: claims, links, roles, profiles, jobs, the ledger and the audit log."""
