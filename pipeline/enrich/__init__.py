"""Location, owner and implementation of the services, as of the sweep's date: derived from the facts, and stored apart."""
