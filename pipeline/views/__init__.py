"""DuckDB over a lake: raw tables, views, and the marts that enriching builds."""
