-- Question: What does each DICOM service claim to be, how does it behave, and why may that be doubted?
-- Grain: one row for each (sweep, ip, port) of associations.
-- Notes: derived by `census enrich` from the rules that ruleset and ruleset_digest name. Never publish its rows.
SELECT sweep, dotted(ip) AS address, * EXCLUDE (sweep)
FROM raw_fingerprints
