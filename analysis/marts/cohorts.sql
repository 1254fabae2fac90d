-- Question: Of the services of the first sweep of a series, how many still answered at their address in each later one?
-- Grain: one row for each sweep of a series, from its second one on.
-- Order: position
-- Notes: cohort counts the services of the first sweep without those that ever entered or left the space; days is the time since
--   that sweep. answered is what was seen, so a service whose probe was lost did not answer, and neither did a system that has
--   another address by now. withheld: opted out or quarantined by then, and not seen; share is of the others, with Wilson's 95 %
--   interval. Nothing is said beyond the last sweep.
WITH steps AS MATERIALIZED (
    SELECT sweep, series, position, ip, port FROM steady_steps WHERE was_seen
),

begun AS (
    SELECT series, ip, port FROM steps WHERE position = 1
),

sizes AS (
    SELECT series, count(*) AS cohort FROM begun GROUP BY series
),

counted AS (
    SELECT seen.sweep, count(*) AS answered
    FROM steps AS seen
    SEMI JOIN begun ON begun.series = seen.series AND begun.ip = seen.ip AND begun.port = seen.port
    GROUP BY seen.sweep
),

held AS (
    FROM begun WHERE EXISTS (FROM withheld WHERE begun.ip >= withheld.first AND begun.ip <= withheld.last)
),

left_alone AS (
    SELECT owed.sweep, count(*) AS withheld
    FROM (
        SELECT series.sweep, held.ip, held.port
        FROM held
        JOIN series ON series.series = held.series
        WHERE series.sweep IN (SELECT sweep FROM withheld)
    ) AS owed
    ASOF JOIN withheld ON withheld.sweep = owed.sweep AND owed.ip >= withheld.first
    ANTI JOIN steps AS seen ON seen.sweep = owed.sweep AND seen.ip = owed.ip AND seen.port = owed.port
    WHERE owed.ip <= withheld.last
    GROUP BY owed.sweep
),

sized AS (
    SELECT
        series.sweep,
        series.series,
        series.position,
        date_diff('second', first.started_at, series.started_at) / 86400.0 AS days,
        sizes.cohort,
        coalesce(left_alone.withheld, 0) AS withheld,
        coalesce(counted.answered, 0) AS answered,
        nullif(sizes.cohort - coalesce(left_alone.withheld, 0), 0) AS asked
    FROM series
    JOIN series AS first ON first.series = series.series AND first.position = 1
    JOIN sizes ON sizes.series = series.series
    LEFT JOIN counted ON counted.sweep = series.sweep
    LEFT JOIN left_alone ON left_alone.sweep = series.sweep
    WHERE series.position > 1
)

SELECT
    sweep,
    series,
    position,
    days,
    cohort,
    withheld,
    answered,
    answered / asked AS share,
    wilson_low(answered, asked) AS share_low,
    wilson_high(answered, asked) AS share_high
FROM sized
