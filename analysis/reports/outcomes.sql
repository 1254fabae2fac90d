-- Question: What happened to the targets that answered our SYN?
-- Grain: the rows of $sweep.
-- Notes: the most targets first.
SELECT * EXCLUDE (sweep)
FROM outcomes
WHERE sweep = $sweep
ORDER BY targets DESC, outcome
