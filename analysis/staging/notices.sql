-- Question: Who was informed of which service, and of which not?
-- Grain: one row for each (sweep, ip, port, recipient).
-- Notes: written by `census notify`. Holds addresses: never publish its rows.
SELECT
    notices.sweep,
    dotted(ip) AS address,
    notices.* EXCLUDE (sweep)
FROM raw_notices AS notices
