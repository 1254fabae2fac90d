-- Question: Which sightings are of services that never entered or left the target space of their series?
-- Grain: one row for each such row of `sightings`.
-- Notes: a service that an opt-out took out of the space did not end, so survival is counted without it. Holds addresses: never
--   publish its rows.
WITH moving AS (
    SELECT series.series
    FROM series
    JOIN methods ON methods.sweep = series.sweep
    GROUP BY series.series
    HAVING count(DISTINCT methods.space_digest) > 1
),

seen AS MATERIALIZED (
    SELECT * FROM sightings
),

turns AS (
    SELECT seen.series, seen.ip, seen.port, series.previous AS compared
    FROM seen
    JOIN series ON series.sweep = seen.sweep
    WHERE seen.position > 1 AND seen.before IS DISTINCT FROM seen.position - 1 AND seen.series IN (FROM moving)
    UNION ALL
    SELECT seen.series, seen.ip, seen.port, later.sweep
    FROM seen
    JOIN series AS later ON later.series = seen.series AND later.position = seen.position + 1
    WHERE seen.after IS DISTINCT FROM seen.position + 1 AND seen.series IN (FROM moving)
),

moved AS (
    SELECT DISTINCT turns.series, turns.ip, turns.port
    FROM turns
    ASOF LEFT JOIN space ON space.sweep = turns.compared AND turns.ip >= space.first
    WHERE NOT coalesce(turns.ip <= space.last, false)
)

SELECT seen.*
FROM seen
ANTI JOIN moved ON moved.series = seen.series AND moved.ip = seen.ip AND moved.port = seen.port
