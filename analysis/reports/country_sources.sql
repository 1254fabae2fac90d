-- Question: By which databases were the addresses of the sweep placed?
-- Grain: one row for each pair of a first and a second database of $sweep.
-- Notes: second_source is null where no second one was asked.
SELECT DISTINCT country_source, second_source
FROM coverage
WHERE sweep = $sweep
ORDER BY ALL
