-- Question: Of the services that were missing in a sweep, how many answered again later in the series?
-- Grain: one row for each sweep of a series with a later one, in which a service of the sweep before was not seen.
-- Order: series, position
-- Notes: absent: seen in the previous sweep, not in this one, and in the space of both. Who came back had not ended: it was switched off,
--   its path was blocked, or the probe was lost. back_next counts those seen in the next sweep, back_later those seen in any later one;
--   the others may still come back. back_share is back_later of absent, with Wilson's 95 % interval.
WITH steps AS MATERIALIZED (
    SELECT series, position, sweep, ip, port, was_seen, away FROM steady_steps
),

absent AS (
    SELECT gone.sweep, gone.series, gone.position, back.away - 1 AS sweeps_away
    FROM steps AS gone
    LEFT JOIN steps AS back
        ON back.series = gone.series AND back.ip = gone.ip AND back.port = gone.port
        AND back.position - back.away = gone.position - 1
        AND back.was_seen AND back.away > 1
    WHERE NOT gone.was_seen
),

ends AS (
    SELECT series, max(position) AS last
    FROM series
    GROUP BY series
)

SELECT
    absent.sweep,
    absent.series,
    absent.position,
    count(*) AS absent,
    count(*) FILTER (absent.sweeps_away = 1) AS back_next,
    count(absent.sweeps_away) AS back_later,
    back_later / count(*) AS back_share,
    wilson_low(back_later, count(*)) AS back_share_low,
    wilson_high(back_later, count(*)) AS back_share_high
FROM absent
JOIN ends ON ends.series = absent.series AND ends.last > absent.position
GROUP BY absent.sweep, absent.series, absent.position
