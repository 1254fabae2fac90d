-- Question: At which place of its series was each service seen?
-- Grain: one row for each (sweep, ip, port) that is exposed in a sweep of a series.
-- Notes: country is where the sweep's own database placed it. While the marts of a sweep are built, the files of all earlier sweeps of its
--   series. Holds addresses: never publish its rows.
SELECT exposed.sweep, series.series, series.position, exposed.ip, exposed.address, exposed.port, exposed.country
FROM exposed_2026_11 AS exposed
JOIN series ON series.sweep = exposed.sweep
