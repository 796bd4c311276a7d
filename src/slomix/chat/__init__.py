"""What people write to us on Telegram and Signal."""
