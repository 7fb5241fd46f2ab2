"""make bench: what the two clients take, as tables."""
