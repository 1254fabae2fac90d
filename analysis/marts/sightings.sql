-- Question: When was each service seen in its series, before this sweep and after it?
-- Grain: one row for each (sweep, ip, port) that is exposed in a sweep of a series.
-- Notes: before and after are positions of the series; null is never. country is that of `placements`, one for all sweeps, and
--   country_then where the sweep's own database placed it. network is the autonomous system that announced the address then, or its
--   /24 where no database knows one. Holds addresses: never publish its rows.
WITH again AS (
    SELECT series.series, series.position, steps.ip, steps.port, series.position - steps.away AS before
    FROM service_steps AS steps
    JOIN series ON series.sweep = steps.sweep
    WHERE steps.was_seen AND steps.away IS NOT NULL
)

SELECT
    series.series,
    series.position,
    steps.sweep,
    steps.ip,
    dotted(steps.ip) AS address,
    steps.port,
    placements.country,
    steps.country_then,
    steps.network,
    series.position - steps.away AS before,
    again.position AS after
FROM service_steps AS steps
JOIN series ON series.sweep = steps.sweep
JOIN placements ON placements.series = series.series AND placements.ip = steps.ip
LEFT JOIN again
    ON again.series = series.series AND again.ip = steps.ip AND again.port = steps.port AND again.before = series.position
WHERE steps.was_seen
