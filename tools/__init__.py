"""Programs of the repository itself, for developers."""
