"""A static site over the sealed sweeps of a lake: pages, charts, data and a feed that any web server can hold."""
