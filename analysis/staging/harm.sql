-- Question: Which targets still answered some time after a visit, or without one?
-- Grain: one row for each (sweep, ip, port).
-- Notes: only the targets of the harm check (docs/harm.md). Holds addresses: never publish its rows.
SELECT
    harm.sweep,
    dotted(ip) AS address,
    harm.* EXCLUDE (sweep)
FROM raw_harm AS harm
