-- Question: When was each service seen in its series, before this sweep and after it?
-- Grain: one row for each (sweep, ip, port) that is exposed in a sweep of a series.
-- Notes: before and after are positions of the series; null is never. Holds addresses: never publish its rows.
SELECT
    series.series,
    series.position,
    exposed.sweep,
    exposed.ip,
    exposed.port,
    exposed.country,
    lag(series.position) OVER of_service AS before,
    lead(series.position) OVER of_service AS after
FROM exposed_2026_11 AS exposed
JOIN series ON series.sweep = exposed.sweep
WINDOW of_service AS (PARTITION BY series.series, exposed.ip, exposed.port ORDER BY series.position)
