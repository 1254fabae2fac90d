-- Question: Which rows of `systems_followed` are known before the others are computed?
-- Grain: one row for each (sweep, ip), as in `systems_followed`.
-- Notes: none in any lake. While the marts of a sweep are built, those of the two sweeps before it. Holds addresses: never publish its rows.
SELECT *
FROM system_fates
WHERE false
