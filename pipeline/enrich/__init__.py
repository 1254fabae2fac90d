"""Where addresses are and whose they are, as of the sweep's date: derived from what was seen, never stored with it."""
