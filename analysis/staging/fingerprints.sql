-- Question: Who does each DICOM service say it is, how does it behave, and why may one doubt it?
-- Grain: one row for each (sweep, ip, port) of associations.
-- Notes: derived by `census enrich` from the rules that ruleset and ruleset_digest name. Never publish rows of it.
SELECT sweep, * EXCLUDE (sweep)
FROM raw_fingerprints
