-- Question: Which counts of a series separate survival from packet loss?
-- Grain: one row for each sweep of a series.
-- Order: position
-- Notes: the statistics of Jolly and Seber. caught: seen now; marked: of these, seen before; again: of these, seen later; skipped:
--   not seen now, but before and later; removed: of those caught, withheld in the next sweep (opted out or quarantined), so that
--   their absence says nothing. A service that is no longer withheld counts as another one. Services that ever entered or left
--   the space are not counted.
WITH seen AS (
    SELECT
        steady.*,
        steady.after IS DISTINCT FROM steady.position + 1 AND coalesce(steady.ip <= withheld.last, false) AS removed
    FROM (
        SELECT steady.*, later.sweep AS next_sweep
        FROM steady
        LEFT JOIN series AS later ON later.series = steady.series AND later.position = steady.position + 1
    ) AS steady
    ASOF LEFT JOIN withheld ON withheld.sweep = steady.next_sweep AND steady.ip >= withheld.first
),

steady_services AS MATERIALIZED (
    SELECT
        sweep, series, position, removed,
        CASE WHEN NOT removed THEN after END AS after,
        CASE WHEN NOT coalesce(lag(removed) OVER of_service, false) THEN before END AS before
    FROM seen
    WINDOW of_service AS (PARTITION BY series, ip, port ORDER BY position)
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
        count(after) AS again,
        count(*) FILTER (removed) AS removed
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
    coalesce(skipped.skipped, 0) AS skipped,
    coalesce(caught.removed, 0) AS removed
FROM series
LEFT JOIN caught ON caught.sweep = series.sweep
LEFT JOIN skipped ON skipped.sweep = series.sweep
