-- Question: Which sector does the owner of an address belong to, and by which rule?
-- Grain: one row for each (sweep, ip) of associations.
-- Notes: derived by `census enrich`. Never publish its rows.
SELECT sweep, dotted(ip) AS address, * EXCLUDE (sweep)
FROM raw_owners
