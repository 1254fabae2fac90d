-- Question: Which targets of the second SYNs answered the first one, the second one, or both?
-- Grain: one row for each (sweep, ip, port) that answered at least one.
-- Notes: empty for sweeps of versions that only counted them (`second_looks`). Holds addresses: never publish its rows.
SELECT
    second_syns.sweep,
    dotted(second_syns.ip) AS address,
    second_syns.* EXCLUDE (sweep)
FROM raw_second_syns AS second_syns
