-- Question: What was asked in the sweep, when, and of how many?
-- Grain: the one row of $sweep.
-- Notes: vantages are counted, not named.
SELECT * EXCLUDE (vantages), len(vantages) AS vantages
FROM sweeps
WHERE sweep = $sweep
