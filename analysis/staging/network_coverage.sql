-- Question: How many addresses of each network are in the sweep's target space, and what kind of network is it?
-- Grain: one row for each (sweep, country, asn, organisation); nulls count addresses that the databases do not place or know.
-- Notes: before sampling; exact. Empty if no network database was named. Never publish its rows: they name the holders.
SELECT sweep, * EXCLUDE (sweep)
FROM raw_network_coverage
