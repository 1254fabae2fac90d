"""The status of a sweep: a snapshot read from the lake, and metrics for Prometheus."""
