-- Question: How many services of each country let a stranger's AE titles in, and how many check them?
-- Grain: the rows of $sweep.
-- Notes: the most services first.
SELECT * EXCLUDE (sweep)
FROM ae_control
WHERE sweep = $sweep
ORDER BY services DESC, country
