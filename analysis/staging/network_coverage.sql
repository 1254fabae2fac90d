-- Question: How many addresses of each network did the sweep have in its target space, and what is the network?
-- Grain: one row for each (sweep, country, asn, organisation); nulls count what the databases do not place or know.
-- Notes: before sampling; exact. Empty where no network database was named. Never publish rows of it: a holder names itself.
SELECT sweep, * EXCLUDE (sweep)
FROM raw_network_coverage
