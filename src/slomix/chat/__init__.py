"""The chat commands of players on Telegram and Signal."""
