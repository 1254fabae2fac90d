-- Question: How many more of the hosts that were visited no longer answered, than of those that were not visited yet?
-- Grain: one row for each sweep with both arms of the harm check.
-- Notes: the counts of `harm_arms`, added up over the sweeps of the series up to this one that made the check. effect is the difference of
--   the two shares. Of k sweeps the interval misses with a probability of 0.05 / k (k + 1), so that all looks of a series together are
--   right with 95 %. rest is the same without hosts that answered another source address; null where none was checked from there.
WITH so_far AS (
    SELECT now.sweep, earlier.sweep AS measured
    FROM series AS now
    JOIN series AS earlier ON earlier.series = now.series AND earlier.position <= now.position
    UNION
    SELECT sweep, sweep FROM sweeps
),

summed AS (
    SELECT
        so_far.sweep,
        count(*) FILTER (arm = 'visited') AS sweeps_checked,
        CAST(sum(alive) FILTER (arm = 'visited') AS BIGINT) AS visited,
        CAST(sum(ended) FILTER (arm = 'visited') AS BIGINT) AS visited_ended,
        CAST(sum(alive) FILTER (arm = 'unvisited') AS BIGINT) AS unvisited,
        CAST(sum(ended) FILTER (arm = 'unvisited') AS BIGINT) AS unvisited_ended,
        CAST(sum(blocking) FILTER (arm = 'visited') AS BIGINT) AS visited_blocking,
        CAST(sum(blocking) FILTER (arm = 'unvisited') AS BIGINT) AS unvisited_blocking
    FROM so_far
    JOIN harm_arms ON harm_arms.sweep = so_far.measured
    GROUP BY so_far.sweep
),

looked AS (
    SELECT
        summed.*,
        0.05 / (sweeps_checked * (sweeps_checked + 1)) AS miss,
        visited_ended - coalesce(visited_blocking, 0) AS visited_silent,
        unvisited_ended - coalesce(unvisited_blocking, 0) AS unvisited_silent,
        visited_blocking IS NOT NULL OR unvisited_blocking IS NOT NULL AS told_apart
    FROM summed
    SEMI JOIN harm_arms AS treated ON treated.sweep = summed.sweep AND treated.arm = 'visited'
    SEMI JOIN harm_arms AS control ON control.sweep = summed.sweep AND control.arm = 'unvisited'
)

SELECT
    sweep,
    sweeps_checked,
    visited,
    visited_ended,
    unvisited,
    unvisited_ended,
    visited_ended / visited - unvisited_ended / unvisited AS effect,
    difference_low(visited_ended, visited, unvisited_ended, unvisited, miss) AS effect_low,
    difference_high(visited_ended, visited, unvisited_ended, unvisited, miss) AS effect_high,
    visited_blocking,
    unvisited_blocking,
    CASE WHEN told_apart THEN visited_silent / visited - unvisited_silent / unvisited END AS rest,
    CASE WHEN told_apart THEN difference_low(visited_silent, visited, unvisited_silent, unvisited, miss) END AS rest_low,
    CASE WHEN told_apart THEN difference_high(visited_silent, visited, unvisited_silent, unvisited, miss) END AS rest_high
FROM looked
