"""The packet engine: rings, pacing, the SYN stage."""
