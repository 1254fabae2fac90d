-- Question: Which services belong to one system?
-- Grain: one row for each (sweep, ip, port) of associations.
-- Notes: derived by `census enrich`; the numbers mean something only within their sweep. Never publish its rows.
SELECT sweep, dotted(ip) AS address, * EXCLUDE (sweep)
FROM raw_systems
