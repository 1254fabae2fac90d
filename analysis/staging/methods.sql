-- Question: By which method did each sweep ask?
-- Grain: one row for each sweep.
-- Notes: derived by `census enrich` from the plan. Sweeps that differ in method_digest are never compared.
SELECT sweep, * EXCLUDE (sweep)
FROM raw_methods
