"""A stand-in for Discord, Telegram and Signal over real sockets: to develop, demonstrate and rehearse against."""
