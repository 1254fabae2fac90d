-- Question: How many exposed services of each country are likely no medical system at all?
-- Grain: the rows of $sweep.
-- Notes: the most services first.
SELECT * EXCLUDE (sweep)
FROM doubts
WHERE sweep = $sweep
ORDER BY services DESC, country
