"""The configuration: its sections, and the reading of one TOML file."""
