"""The lab: its key, and signatures by it."""
