-- Question: Who still answered some time after a visit, or after none?
-- Grain: one row for each (sweep, ip, port).
-- Notes: of the targets of the harm check only (docs/harm.md). Holds addresses: never publish rows of it.
SELECT
    harm.sweep,
    dotted(ip) AS address,
    harm.* EXCLUDE (sweep)
FROM raw_harm AS harm
