"""The targets of a sweep and their order. Pure: no socket, clock, thread, randomness or logging."""
