-- Question: What fraction of responding services does one sweep detect, estimated from second SYNs?
-- Grain: one row for each sweep that sent second SYNs.
-- Order: sweep
-- Notes: detection is estimated among hosts that took our request (took): a network that answers every SYN says nothing of
--   services. Of those that answered the first SYN, it is the share that answered the second one too (took_twice); both SYNs
--   are lost alike. Hosts in a /24 that answers everything do not count. Where took is null an older version only counted
--   answers to SYNs: detection is then seen_twice / seen_second. Intervals are Wilson's. Transient loss only. `country_loss` has that
--   of services, by country.
WITH syns AS (
    SELECT
        sweep,
        CAST(sum(seen_twice) AS BIGINT) AS seen_twice,
        CAST(sum(seen_twice + second_only) AS BIGINT) AS seen_second
    FROM second_looks
    GROUP BY sweep
),

hosts AS (
    SELECT
        second.sweep,
        CAST(coalesce(sum(looks.took), 0) AS BIGINT) AS took,
        CAST(coalesce(sum(looks.took_twice), 0) AS BIGINT) AS took_twice
    FROM (SELECT DISTINCT sweep FROM second_syns) AS second
    LEFT JOIN looks ON looks.sweep = second.sweep
    GROUP BY second.sweep
),

pairs AS (
    SELECT
        syns.*,
        hosts.took,
        hosts.took_twice,
        CASE WHEN hosts.took IS NULL THEN syns.seen_twice ELSE hosts.took_twice END AS again,
        CASE WHEN hosts.took IS NULL THEN syns.seen_second ELSE hosts.took END AS once
    FROM syns
    LEFT JOIN hosts ON hosts.sweep = syns.sweep
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
