-- Question: Which other ports are open at addresses that speak DICOM?
-- Grain: one row for each (sweep, ip, port) that is a companion port of such an address.
-- Notes: answer is null where no SYN left. Holds addresses: never publish its rows.
SELECT
    companions.sweep,
    dotted(companions.ip) AS address,
    companions.* EXCLUDE (sweep)
FROM raw_companions AS companions
