"""The one ledger: what was promised to whom, what became of it, and every try."""
