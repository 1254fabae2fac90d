-- Question: Where were the addresses that answered, at the time of their sweep?
-- Grain: one row for each (sweep, ip).
-- Notes: derived by `census enrich`; country_source and asn_source name the databases.
SELECT sweep, dotted(ip) AS address, * EXCLUDE (sweep)
FROM raw_locations
