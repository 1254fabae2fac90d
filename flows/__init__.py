"""The Prefect flows: when, in which order, how often, on which machines. Nothing else lives here."""
