-- Question: Who still answered some time after a visit, or after none?
-- Grain: one row for each (sweep, ip, port).
-- Notes: of the targets of the harm check only (docs/harm.md). Holds addresses: never publish rows of it.
SELECT
    harm.sweep,
    concat_ws('.', ip >> 24, (ip >> 16) & 255, (ip >> 8) & 255, ip & 255) AS address,
    harm.* EXCLUDE (sweep)
FROM raw_harm AS harm
