"""How a player may be reached: verified addresses, consent, quiet hours."""
