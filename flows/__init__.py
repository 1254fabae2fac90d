"""The Prefect flows: when, in which order, how often, on which machines. All else is in `pipeline`."""
