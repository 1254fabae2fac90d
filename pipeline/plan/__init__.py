"""The plan of a sweep: frozen from the configuration, signed, and read again by every process."""
