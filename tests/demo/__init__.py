"""make demo and make servers: the session of the tutorial in one terminal."""
