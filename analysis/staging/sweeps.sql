-- Question: Which sweeps were sealed, and what did they do?
-- Grain: one row for each sweep.
-- Notes: totals here equal those of the receipts (checks/sweep_totals_differ).
SELECT sweep, * EXCLUDE (sweep)
FROM raw_sweeps
