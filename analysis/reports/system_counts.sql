-- Question: How many systems are the exposed services of each country, by three rules?
-- Grain: the rows of $sweep.
-- Notes: the most services first.
SELECT * EXCLUDE (sweep)
FROM system_counts
WHERE sweep = $sweep
ORDER BY services DESC, country
