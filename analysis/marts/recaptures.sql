-- Question: What does a series of sweeps come down to, so that survival can be told from loss?
-- Grain: one row for each sweep of a series.
-- Notes: the statistics of Jolly and Seber. caught: seen now; marked: of them seen before; again: of them seen later;
--   skipped: not seen now, but before and later. Services that ever entered or left the space are not counted.
WITH moved AS (
    SELECT DISTINCT series.series, fates.ip, fates.port
    FROM fates
    JOIN series ON series.sweep = fates.sweep
    WHERE fates.fate IN ('entered', 'left')
),

steady AS (
    SELECT sightings.*
    FROM sightings
    ANTI JOIN moved
        ON moved.series = sightings.series AND moved.ip = sightings.ip AND moved.port = sightings.port
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
