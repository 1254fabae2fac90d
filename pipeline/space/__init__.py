"""Which targets, in which order. Pure: no socket, clock, thread, randomness or logging."""
