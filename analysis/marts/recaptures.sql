-- Question: Which counts of a series separate survival from packet loss?
-- Grain: one row for each sweep of a series.
-- Order: position
-- Notes: the statistics of Jolly and Seber. caught: seen now; marked: of these, seen before; again: of these, seen later; skipped:
--   not seen now, but before and later. Services that ever entered or left the space are not counted.
WITH steady_services AS MATERIALIZED (
    SELECT * FROM steady
),

skipped AS (
    SELECT series.sweep, count(*) AS skipped
    FROM steady_services
    JOIN series
        ON series.series = steady_services.series
        AND series.position > steady_services.position
        AND series.position < steady_services.after
    GROUP BY series.sweep
),

caught AS (
    SELECT
        sweep,
        count(*) AS caught,
        count(before) AS marked,
        count(after) AS again
    FROM steady_services
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
