-- Question: How many systems of the first sweep of a series were there at each later one, and ended before the next?
-- Grain: one row for each (series, position) but those of the last two sweeps.
-- Notes: by the links of `system_fates`. systems_followed were seen in the sweep or later, and are still probed; steps_ended of them were
--   not recognised after it, without_key of these showed no certificate key, and steps_linked were recognised by identity next.
WITH RECURSIVE fates AS MATERIALIZED (
    SELECT * FROM system_fates
),

chain AS (
    SELECT series, position, later_position, later_ip, linked_by, outside, has_ended, key
    FROM fates
    WHERE position = 1
    UNION ALL
    SELECT
        fates.series, fates.position, fates.later_position, fates.later_ip, fates.linked_by, fates.outside, fates.has_ended, fates.key
    FROM chain
    JOIN fates
        ON fates.series = chain.series AND fates.position = chain.later_position AND fates.ip = chain.later_ip
),

stretches AS MATERIALIZED (
    SELECT *, CASE WHEN later_position IS NULL THEN position ELSE later_position - 1 END AS until
    FROM chain
    WHERE NOT outside
)

SELECT
    series.series,
    series.position,
    count(*) AS systems_followed,
    count(*) FILTER (stretches.has_ended) AS steps_ended,
    count(*) FILTER (stretches.has_ended AND stretches.key IS NULL) AS without_key,
    count(*) FILTER (stretches.linked_by = 'identity' AND stretches.position = series.position) AS steps_linked
FROM stretches
JOIN series
    ON series.series = stretches.series AND series.position >= stretches.position AND series.position <= stretches.until
JOIN series AS later ON later.series = series.series AND later.position = series.position + 2
GROUP BY series.series, series.position
