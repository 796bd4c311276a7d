"""A stand-in for Discord over real sockets: to develop, to demonstrate and to rehearse an evening against."""
