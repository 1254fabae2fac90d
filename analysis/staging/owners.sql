-- Question: Which sector does the owner of an address belong to, and which rule says so?
-- Grain: one row for each (sweep, ip) of associations.
-- Notes: derived by `census enrich`. Never publish rows of it.
SELECT sweep, * EXCLUDE (sweep)
FROM raw_owners
