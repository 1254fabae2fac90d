"""The association with one target: a pure conversation, and the asyncio edge that drives it over kernel TCP."""
