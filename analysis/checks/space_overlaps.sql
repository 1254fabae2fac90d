-- Question: Do ranges of a target space overlap, or fail to add up to the sweep's addresses?
-- Grain: one row for each sweep that is wrong.
-- Notes: a sweep without ranges is not enriched yet, or by an older program, which is not a fault.
WITH ranges AS (
    SELECT
        sweep,
        CAST(last AS BIGINT) - first + 1 AS size,
        first <= lag(last) OVER (PARTITION BY sweep ORDER BY first) AS overlap
    FROM space
)

SELECT ranges.sweep
FROM ranges
JOIN sweeps ON sweeps.sweep = ranges.sweep
GROUP BY ranges.sweep, sweeps.addresses
HAVING bool_or(overlap) OR sum(size) <> sweeps.addresses
