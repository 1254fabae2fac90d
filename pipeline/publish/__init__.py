"""From the lake's views to words, tables and maps. What leaves here are aggregates: no address, host name or AE title."""
