"""The database: tables' base, transactions, notifications, migrations, and what each role may do."""
