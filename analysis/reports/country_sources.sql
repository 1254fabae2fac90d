-- Question: Which databases placed the addresses of the sweep?
-- Grain: one row for each pair of a first and a second database of $sweep.
-- Notes: second_source is null if no second one was used.
SELECT DISTINCT country_source, second_source
FROM coverage
WHERE sweep = $sweep
ORDER BY ALL
