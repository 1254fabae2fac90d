-- Question: When was each service seen in its series, before this sweep and after it?
-- Grain: one row for each (sweep, ip, port) that is exposed in a sweep of a series.
-- Notes: before and after are positions of the series; null is never. country is that of `placements`, one for all sweeps, and
--   country_then where the sweep's own database placed it. network is the autonomous system that announced the address then, or its
--   /24 where no database knows one. Holds addresses: never publish its rows.
SELECT
    series.series,
    series.position,
    exposed.sweep,
    exposed.ip,
    exposed.address,
    exposed.port,
    placements.country,
    exposed.country AS country_then,
    network_of(exposed.asn, exposed.ip) AS network,
    lag(series.position) OVER of_service AS before,
    lead(series.position) OVER of_service AS after
FROM exposed_2026_11 AS exposed
JOIN series ON series.sweep = exposed.sweep
JOIN placements ON placements.series = series.series AND placements.ip = exposed.ip
WINDOW of_service AS (PARTITION BY series.series, exposed.ip, exposed.port ORDER BY series.position)
