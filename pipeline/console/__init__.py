"""The terminal: progress on standard error, results on standard output."""
