-- Question: What did two vantages see of the same services, and how many did both miss?
-- Grain: one row for each port and pair of sweeps by the same method that other vantages began within an hour.
-- Notes: only complete sweeps of one method and one target space are paired, the earlier one first: seed and rate are the same, so
--   both vantages probed a target within about an hour. Systems that got another address between would look like loss. there is
--   Chapman's estimate, and chapman_low and chapman_high its interval: a lower bound, if what one vantage misses the other misses
--   more often.
WITH pairs AS (
    SELECT
        first.sweep,
        other.sweep AS other,
        date_diff('second', first.started_at, other.started_at) / 86400.0 AS days
    FROM sweeps AS first
    JOIN methods AS first_method ON first_method.sweep = first.sweep
    JOIN methods AS other_method
        ON other_method.method_digest = first_method.method_digest
        AND other_method.space_digest = first_method.space_digest
    JOIN sweeps AS other ON other.sweep = other_method.sweep
    WHERE (first.started_at, first.sweep) < (other.started_at, other.sweep)
        AND first.sampled_share = 1 AND other.sampled_share = 1
        AND first.visibility_of IS NULL AND other.visibility_of IS NULL
        AND len(list_intersect(first.vantages, other.vantages)) = 0
        AND other.started_at <= first.started_at + INTERVAL 1 HOUR
),

seen AS (
    SELECT pairs.sweep, pairs.other, pairs.days, exposed.port, exposed.ip, 1 AS by_first, 0 AS by_other
    FROM pairs
    JOIN exposed_2026_11 AS exposed ON exposed.sweep = pairs.sweep
    UNION ALL
    SELECT pairs.sweep, pairs.other, pairs.days, exposed.port, exposed.ip, 0, 1
    FROM pairs
    JOIN exposed_2026_11 AS exposed ON exposed.sweep = pairs.other
),

services AS (
    SELECT sweep, other, days, port, ip, sum(by_first) AS by_first, sum(by_other) AS by_other
    FROM seen
    GROUP BY ALL
)

SELECT
    sweep,
    other,
    days,
    port,
    count(*) FILTER (by_first > 0) AS seen_here,
    count(*) FILTER (by_other > 0) AS seen_there,
    count(*) FILTER (by_first > 0 AND by_other > 0) AS seen_by_both,
    chapman(seen_here, seen_there, seen_by_both) AS there
FROM services
GROUP BY sweep, other, days, port
