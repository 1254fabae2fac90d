-- Question: What did two vantages see of the same services, and how many did both miss?
-- Grain: one row for each pair of sweeps that asked alike from other places within three days, in each port.
-- Notes: only complete sweeps of one method and one target space are paired, the earlier one first. there is Chapman's
--   estimate. Services that began or ended from one sweep to the other look like loss; keep the days few.
WITH pairs AS (
    SELECT
        one.sweep,
        other.sweep AS other,
        date_diff('second', one.started_at, other.started_at) / 86400.0 AS days
    FROM sweeps AS one
    JOIN methods AS one_method ON one_method.sweep = one.sweep
    JOIN methods AS other_method
        ON other_method.method_digest = one_method.method_digest
        AND other_method.space_digest = one_method.space_digest
    JOIN sweeps AS other ON other.sweep = other_method.sweep
    WHERE (one.started_at, one.sweep) < (other.started_at, other.sweep)
        AND one.sampled_share = 1 AND other.sampled_share = 1
        AND len(list_intersect(one.vantages, other.vantages)) = 0
        AND date_diff('day', one.started_at, other.started_at) <= 3
),

seen AS (
    SELECT pairs.sweep, pairs.other, pairs.days, exposed.port, exposed.ip, 1 AS by_one, 0 AS by_other
    FROM pairs
    JOIN exposed_2026_11 AS exposed ON exposed.sweep = pairs.sweep
    UNION ALL
    SELECT pairs.sweep, pairs.other, pairs.days, exposed.port, exposed.ip, 0, 1
    FROM pairs
    JOIN exposed_2026_11 AS exposed ON exposed.sweep = pairs.other
),

services AS (
    SELECT sweep, other, days, port, ip, sum(by_one) AS by_one, sum(by_other) AS by_other
    FROM seen
    GROUP BY ALL
)

SELECT
    sweep,
    other,
    days,
    port,
    count(*) FILTER (by_one > 0) AS seen_here,
    count(*) FILTER (by_other > 0) AS seen_there,
    count(*) FILTER (by_one > 0 AND by_other > 0) AS seen_by_both,
    chapman(seen_here, seen_there, seen_by_both) AS there
FROM services
GROUP BY sweep, other, days, port
