-- Question: Which look at hosts says how many services a sweep misses, where no look at services does?
-- Grain: one row for each sweep with second SYNs that found a host, or with another vantage that saw the same services.
-- Notes: of the hosts that one look found (looked_at), the other look found looked_again too. Second SYNs come first, then the vantage
--   that is nearest in time. `country_loss` comes before either.
WITH pairs AS (
    SELECT
        sweep,
        other,
        days,
        sum(seen_here) AS here,
        sum(seen_there) AS there,
        sum(seen_by_both) AS looked_again
    FROM vantages
    GROUP BY sweep, other, days
),

nearest AS (
    SELECT *
    FROM (
        SELECT sweep AS looked, sweep, other, days, looked_again, there AS looked_at FROM pairs
        UNION ALL
        SELECT other AS looked, sweep, other, days, looked_again, here AS looked_at FROM pairs
    ) AS sides
    QUALIFY row_number() OVER (PARTITION BY looked ORDER BY days, sweep, other) = 1
),

syns AS (
    SELECT
        sweep,
        CASE WHEN took IS NULL THEN seen_twice ELSE took_twice END AS looked_again,
        CASE WHEN took IS NULL THEN seen_second ELSE took END AS looked_at
    FROM loss
),

looked AS (
    SELECT sweep, looked_again, looked_at, 1 AS place, 'second SYN' AS look FROM syns
    UNION ALL
    SELECT looked, looked_again, looked_at, 2, 'other vantage' FROM nearest
)

SELECT sweep, look, CAST(looked_again AS BIGINT) AS looked_again, CAST(looked_at AS BIGINT) AS looked_at
FROM looked
WHERE looked_again > 0
QUALIFY row_number() OVER (PARTITION BY sweep ORDER BY place) = 1
