"""A stand-in for Discord, Telegram, Signal and the game server over real sockets: to develop and rehearse against."""
