-- Question: Which names does reverse DNS give for the addresses that spoke DICOM?
-- Grain: one row for each (sweep, ip) that `census resolve` looked up.
-- Notes: names resolve back to their address; anybody may claim unconfirmed ones. Never publish its rows.
SELECT sweep, dotted(ip) AS address, * EXCLUDE (sweep)
FROM raw_host_names
