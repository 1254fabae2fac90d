-- Question: Which counts of a series separate survival from packet loss?
-- Grain: one row for each sweep of a series.
-- Order: position
-- Notes: the statistics of Jolly and Seber. caught: seen now; marked: of these, seen before; again: of these, seen later; skipped:
--   not seen now, but before and later; removed: of those caught, withheld in the next sweep (opted out or quarantined), so that
--   their absence says nothing. A service that is no longer withheld counts as another one. Services that ever entered or left
--   the space are not counted.
WITH steps AS MATERIALIZED (
    SELECT series, position, ip, port, was_seen, away, was_withheld FROM steady_steps
),

removed AS MATERIALIZED (
    SELECT series, ip, port, position - 1 AS position
    FROM steps
    WHERE NOT was_seen AND was_withheld
),

returned AS MATERIALIZED (
    SELECT steps.series, steps.position, steps.position - steps.away AS before
    FROM steps
    ANTI JOIN removed
        ON removed.series = steps.series AND removed.ip = steps.ip AND removed.port = steps.port
        AND removed.position = steps.position - steps.away
    WHERE steps.was_seen AND steps.away > 1
),

seen AS MATERIALIZED (
    SELECT series, position, count(*) AS caught, count(*) FILTER (away = 1) AS stayed
    FROM steps
    WHERE was_seen
    GROUP BY series, position
),

counts AS (
    SELECT series, position, caught, stayed AS marked, 0 AS again, 0 AS skipped, 0 AS removed FROM seen
    UNION ALL
    SELECT series, position - 1, 0, 0, stayed, 0, 0 FROM seen
    UNION ALL
    SELECT series, position, 0, 1, 0, 0, 0 FROM returned
    UNION ALL
    SELECT series, before, 0, 0, 1, 0, 0 FROM returned
    UNION ALL
    SELECT series, unnest(range(before + 1, position)), 0, 0, 0, 1, 0 FROM returned
    UNION ALL
    SELECT series, position, 0, 0, 0, 0, 1 FROM removed
)

SELECT
    series.sweep,
    series.series,
    series.position,
    series.days,
    CAST(coalesce(sum(caught), 0) AS BIGINT) AS caught,
    CAST(coalesce(sum(marked), 0) AS BIGINT) AS marked,
    CAST(coalesce(sum(again), 0) AS BIGINT) AS again,
    CAST(coalesce(sum(skipped), 0) AS BIGINT) AS skipped,
    CAST(coalesce(sum(removed), 0) AS BIGINT) AS removed
FROM series
LEFT JOIN counts ON counts.series = series.series AND counts.position = series.position
GROUP BY series.sweep, series.series, series.position, series.days
