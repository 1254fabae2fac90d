"""How a sweep is: one snapshot read from the lake, and the metrics that Prometheus reads."""
