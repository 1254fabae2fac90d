-- Question: How many services of each country are new, stayed, returned, went missing or are gone since the sweep before?
-- Grain: the rows of $sweep.
-- Notes: the most services of either sweep first.
SELECT * EXCLUDE (sweep)
FROM changes
WHERE sweep = $sweep
ORDER BY stayed + new + returned + missing DESC, country
