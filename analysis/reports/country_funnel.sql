-- Question: How many targets of each country pass each step from a probe to an answered C-ECHO?
-- Grain: the rows of $sweep.
-- Notes: every step of every country.
SELECT * EXCLUDE (sweep)
FROM country_funnel
WHERE sweep = $sweep
ORDER BY country, position
