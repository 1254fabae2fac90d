-- Question: Which names does reverse DNS give to the addresses that spoke DICOM?
-- Grain: one row for each (sweep, ip) that `census resolve` asked about.
-- Notes: names lead back to their address; unconfirmed ones may be claimed by anybody. Never publish rows of it.
SELECT sweep, * EXCLUDE (sweep)
FROM raw_host_names
