-- Question: Which systems of the first sweep of a series were seen two sweeps ago, and what became of them?
-- Grain: one row for each (sweep, ip), as in `system_fates`.
-- Notes: the rows of `system_fates` to which links lead from the first sweep. Holds addresses: never publish its rows.
WITH RECURSIVE fates AS MATERIALIZED (
    SELECT * FROM system_fates
),

followed AS (
    SELECT * FROM followed_before
    UNION ALL
    SELECT fates.*
    FROM fates
    JOIN series ON series.sweep = fates.sweep AND series.position = 3
    UNION
    SELECT fates.*
    FROM followed
    JOIN fates ON fates.seen_sweep = followed.later_sweep AND fates.ip = followed.later_ip
)

SELECT * FROM followed
