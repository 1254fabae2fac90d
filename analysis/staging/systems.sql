-- Question: Which services are one system?
-- Grain: one row for each (sweep, ip, port) of associations.
-- Notes: derived by `census enrich`; the numbers mean something within their sweep only. Never publish rows of it.
SELECT sweep, * EXCLUDE (sweep)
FROM raw_systems
