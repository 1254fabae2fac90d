-- Question: How many answers does each suspicion mark in each country?
-- Grain: the rows of $sweep.
-- Notes: the most services first.
SELECT * EXCLUDE (sweep)
FROM suspicions
WHERE sweep = $sweep
ORDER BY services DESC, suspicion, country
