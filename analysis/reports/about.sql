-- Question: What did the sweep probe, when, and how many addresses?
-- Grain: the one row of $sweep.
-- Notes: vantages are counted, not named.
SELECT * EXCLUDE (vantages), len(vantages) AS vantages
FROM sweeps
WHERE sweep = $sweep
