-- Question: Which counts of a series separate survival from packet loss?
-- Grain: one row for each sweep of a series.
-- Order: position
-- Notes: the statistics of Jolly and Seber. caught: seen now; marked: of these, seen before; again: of these, seen later; skipped:
--   not seen now, but before and later. Services that ever entered or left the space are not counted.
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
),

steady AS MATERIALIZED (
    SELECT seen.*
    FROM seen
    ANTI JOIN moved ON moved.series = seen.series AND moved.ip = seen.ip AND moved.port = seen.port
),

skipped AS (
    SELECT series.sweep, count(*) AS skipped
    FROM steady
    JOIN series
        ON series.series = steady.series
        AND series.position > steady.position
        AND series.position < steady.after
    GROUP BY series.sweep
),

caught AS (
    SELECT
        sweep,
        count(*) AS caught,
        count(before) AS marked,
        count(after) AS again
    FROM steady
    GROUP BY sweep
)

SELECT
    series.sweep,
    series.series,
    series.position,
    series.days,
    coalesce(caught.caught, 0) AS caught,
    coalesce(caught.marked, 0) AS marked,
    coalesce(caught.again, 0) AS again,
    coalesce(skipped.skipped, 0) AS skipped
FROM series
LEFT JOIN caught ON caught.sweep = series.sweep
LEFT JOIN skipped ON skipped.sweep = series.sweep
