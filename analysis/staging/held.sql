-- Question: Which targets were deferred at their first answer, to be visited by the harm check?
-- Grain: one row for each (sweep, ip, port).
-- Notes: holds addresses: never publish its rows.
SELECT
    held.sweep,
    dotted(ip) AS address,
    held.* EXCLUDE (sweep)
FROM raw_held AS held
