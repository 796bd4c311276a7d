"""Stands in for Discord, Telegram, Signal and the game server over real sockets, for development and rehearsals."""
