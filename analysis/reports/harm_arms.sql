-- Question: How many hosts were alive before and gone after, with a visit in the meantime and without one?
-- Grain: the rows of $sweep.
-- Notes: both arms.
SELECT * EXCLUDE (sweep)
FROM harm_arms
WHERE sweep = $sweep
ORDER BY arm
