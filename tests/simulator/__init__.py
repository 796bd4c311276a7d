"""The simulator, over real sockets."""
