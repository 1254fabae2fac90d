"""Programs of the repository itself, for those who work on it."""
