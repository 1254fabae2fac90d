-- Question: What do the estimates of a focus sweep need of its strata?
-- Grain: one row for each focus sweep that is enriched.
-- Notes: inclusion is the probability of a /24 to be probed in which no whole sweep had found a service; 1 if there was none such.
--   crowding is of all /24s with a service, whatever their stratum: the drawn ones are too few to say how services crowd.
WITH slash24s AS (
    SELECT sweep, slash24, sum(services) AS services, sum(undoubted) AS undoubted
    FROM focus_slash24s
    GROUP BY sweep, slash24
),

crowded AS (
    SELECT
        sweep,
        sum(services * services) / sum(services) AS crowding_slash24,
        sum(undoubted * undoubted) / nullif(sum(undoubted), 0) AS crowding_undoubted
    FROM slash24s
    GROUP BY sweep
),

strata AS (
    SELECT space.sweep, coalesce(min(space.inclusion), 1) AS inclusion
    FROM space
    SEMI JOIN sweeps ON sweeps.sweep = space.sweep AND sweeps.focus IS NOT NULL
    GROUP BY space.sweep
)

SELECT
    strata.sweep,
    strata.inclusion,
    coalesce(crowded.crowding_slash24, 1) AS crowding_slash24,
    coalesce(crowded.crowding_undoubted, 1) AS crowding_undoubted
FROM strata
LEFT JOIN crowded ON crowded.sweep = strata.sweep
