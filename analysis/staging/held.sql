-- Question: Who was held back at the first answer, to be visited by the harm check?
-- Grain: one row for each (sweep, ip, port).
-- Notes: holds addresses: never publish rows of it.
SELECT
    held.sweep,
    dotted(ip) AS address,
    held.* EXCLUDE (sweep)
FROM raw_held AS held
