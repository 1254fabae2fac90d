-- Question: How many targets pass each step from a probe to an answered C-ECHO?
-- Grain: the rows of $sweep.
-- Notes: in order.
SELECT * EXCLUDE (sweep)
FROM funnel
WHERE sweep = $sweep
ORDER BY position
