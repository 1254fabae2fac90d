"""From the lake's views to words, tables and maps. Only aggregates leave: no address, host name or AE title."""
