"""The database: base of the tables, transactions, notifications, migrations and grants."""
