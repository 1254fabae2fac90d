-- Question: What fraction of responding services does one sweep detect, estimated from second SYNs?
-- Grain: one row for each sweep that sent second SYNs.
-- Order: sweep
-- Notes: detection is estimated among hosts that took our request (took): a network that answers every SYN says nothing of
--   services. Of those that answered the first SYN, it is the share that answered the second one too (took_twice); both SYNs
--   are lost alike. Hosts in a /24 that answers everything do not count. Where took is null an older version only counted
--   answers to SYNs: detection is then seen_twice / seen_second. Intervals are Wilson's. Transient loss only.
WITH looks AS (
    SELECT
        sweep,
        CAST(sum(seen_twice) AS BIGINT) AS seen_twice,
        CAST(sum(seen_twice + second_only) AS BIGINT) AS seen_second
    FROM second_looks
    GROUP BY sweep
),

answering AS (
    SELECT responses.sweep, responses.ip >> 8 AS prefix
    FROM responses
    JOIN sweeps ON sweeps.sweep = responses.sweep
    WHERE responses.sweep IN (SELECT DISTINCT second_syns.sweep FROM second_syns)
    GROUP BY responses.sweep, responses.ip >> 8, sweeps.sampled_share
    HAVING count(DISTINCT responses.ip) >= greatest(2, 32 * sweeps.sampled_share)
    UNION
    SELECT sweep, ip >> 8
    FROM controls
    GROUP BY sweep, ip >> 8
    HAVING count(DISTINCT ip) >= 2
),

hosts AS (
    SELECT
        second.sweep,
        count(*) FILTER (accepts_data(responses.outcome) AND answering.prefix IS NULL) AS took,
        count(*) FILTER (
            accepts_data(responses.outcome) AND answering.prefix IS NULL AND second.answered_second
        ) AS took_twice
    FROM second_syns AS second
    LEFT JOIN responses
        ON responses.sweep = second.sweep
        AND responses.ip = second.ip
        AND responses.port = second.port
        AND second.answered_first
    LEFT JOIN answering ON answering.sweep = second.sweep AND answering.prefix = second.ip >> 8
    GROUP BY second.sweep
),

pairs AS (
    SELECT
        looks.*,
        hosts.took,
        hosts.took_twice,
        CASE WHEN hosts.took IS NULL THEN looks.seen_twice ELSE hosts.took_twice END AS again,
        CASE WHEN hosts.took IS NULL THEN looks.seen_second ELSE hosts.took END AS once
    FROM looks
    LEFT JOIN hosts ON hosts.sweep = looks.sweep
)

SELECT
    sweep,
    seen_twice,
    seen_second,
    took,
    took_twice,
    again / nullif(once, 0) AS detection,
    wilson_low(again, once) AS detection_low,
    wilson_high(again, once) AS detection_high
FROM pairs
