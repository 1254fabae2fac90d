-- Question: How many services came and went since the previous focus sweep, by the addresses that both probed?
-- Grain: one row for each sweep of `focus_panels` from its second one on.
-- Notes: Horvitz and Thompson's estimates for the whole space, with intervals as in `focus_totals`. What comes in a drawn /24 is all of
--   its services, so it crowds as they do. What one of both did not probe neither came nor went (`focus_moves`). net is came_estimated
--   less went_estimated; its interval joins both (Newcombe). A lost probe looks like a service that came or went: loss is not taken out.
WITH counted AS (
    SELECT
        sweep,
        sum(came) FILTER (inclusion = 1) AS came_known,
        sum(went) FILTER (inclusion = 1) AS went_known,
        sum(came) FILTER (inclusion < 1) AS came_drawn,
        sum(went) FILTER (inclusion < 1) AS went_drawn,
        sum(went * went) / nullif(sum(went), 0) AS went_each
    FROM focus_moves
    GROUP BY sweep
),

joined AS (
    SELECT
        panels.sweep,
        panels.previous,
        panels.days,
        estimates.inclusion AS share,
        coalesce(counted.came_known, 0) AS came_known,
        coalesce(counted.went_known, 0) AS went_known,
        coalesce(counted.came_drawn, 0) AS came_drawn,
        coalesce(counted.went_drawn, 0) AS went_drawn,
        estimates.crowding_slash24 AS came_each,
        coalesce(counted.went_each, 1) AS went_each
    FROM focus_panels AS panels
    JOIN focus_strata AS estimates ON estimates.sweep = panels.sweep
    LEFT JOIN counted ON counted.sweep = panels.sweep
    WHERE panels.previous IS NOT NULL
),

estimated AS (
    SELECT
        sweep,
        previous,
        days,
        CAST(came_known + came_drawn AS BIGINT) AS came,
        CAST(went_known + went_drawn AS BIGINT) AS went,
        came_known + came_drawn / share AS came_estimated,
        came_known + drawn_low(came_drawn, came_each, share) AS came_low,
        came_known + drawn_high(came_drawn, came_each, share) AS came_high,
        went_known + went_drawn / share AS went_estimated,
        went_known + drawn_low(went_drawn, went_each, share) AS went_low,
        went_known + drawn_high(went_drawn, went_each, share) AS went_high
    FROM joined
)

SELECT
    *,
    came_estimated - went_estimated AS net,
    came_estimated - went_estimated - sqrt(pow(came_estimated - came_low, 2) + pow(went_high - went_estimated, 2)) AS net_low,
    came_estimated - went_estimated + sqrt(pow(came_high - came_estimated, 2) + pow(went_estimated - went_low, 2)) AS net_high
FROM estimated
