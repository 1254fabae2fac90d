-- Question: By which method did each sweep probe?
-- Grain: one row for each sweep.
-- Notes: derived by `census enrich` from the plan. Sweeps with different method_digest are never compared.
SELECT sweep, * EXCLUDE (sweep)
FROM raw_methods
