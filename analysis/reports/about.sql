-- Question: What did the sweep probe, when, and how many addresses?
-- Grain: the one row of $sweep.
-- Notes: vantages are counted, not named. testbed says whether all ranges ran in a testbed; null if an older version ran one.
SELECT
    * EXCLUDE (vantages),
    len(vantages) AS vantages,
    (SELECT CASE WHEN count(testbed) = count(*) THEN bool_and(testbed) END FROM receipts WHERE receipts.sweep = $sweep) AS testbed
FROM sweeps
WHERE sweep = $sweep
