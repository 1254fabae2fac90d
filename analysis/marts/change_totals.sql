-- Question: How many services in all are new, stayed, returned, went missing or are gone since the sweep before?
-- Grain: one row for each sweep of a series, from its second one on.
-- Order: sweep
-- Notes: columns as in `changes`; previous is the sweep that is compared with, days the time from its start to this one's.
WITH counted AS (
    SELECT
        sweep,
        count(*) FILTER (fate = 'stayed') AS stayed,
        count(*) FILTER (fate = 'new') AS new,
        count(*) FILTER (fate = 'returned') AS returned,
        count(*) FILTER (fate = 'entered') AS entered,
        count(*) FILTER (fate = 'missing') AS missing,
        count(*) FILTER (fate = 'gone') AS gone,
        count(*) FILTER (fate = 'left') AS left_space
    FROM fates
    GROUP BY sweep
)

SELECT
    series.sweep,
    series.series,
    series.previous,
    series.days,
    coalesce(counted.stayed, 0) AS stayed,
    coalesce(counted.new, 0) AS new,
    coalesce(counted.returned, 0) AS returned,
    coalesce(counted.entered, 0) AS entered,
    coalesce(counted.missing, 0) AS missing,
    coalesce(counted.gone, 0) AS gone,
    coalesce(counted.left_space, 0) AS left_space
FROM series
LEFT JOIN counted ON counted.sweep = series.sweep
WHERE series.previous IS NOT NULL
