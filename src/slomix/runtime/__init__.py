"""What a process works with: settings, transactions and channels, made once and passed on."""
