-- Question: How many services in all are new, stayed, returned, missing or gone since the previous sweep?
-- Grain: one row for each sweep of a series, from its second one on.
-- Order: sweep
-- Notes: columns as in `changes`; previous is the sweep to compare with, days the time from its start to this one's.
WITH counted AS (
    SELECT
        sweep,
        count(*) FILTER (transition = 'stayed') AS stayed,
        count(*) FILTER (transition = 'new') AS new,
        count(*) FILTER (transition = 'returned') AS returned,
        count(*) FILTER (transition = 'entered') AS entered,
        count(*) FILTER (transition = 'missing') AS missing,
        count(*) FILTER (transition = 'gone') AS gone,
        count(*) FILTER (transition = 'left') AS left_space,
        count(*) FILTER (transition = 'withheld') AS withheld
    FROM transitions
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
    coalesce(counted.left_space, 0) AS left_space,
    coalesce(counted.withheld, 0) AS withheld
FROM series
LEFT JOIN counted ON counted.sweep = series.sweep
WHERE series.previous IS NOT NULL
