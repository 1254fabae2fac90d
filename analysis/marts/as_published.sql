-- Question: How many would other studies have counted of what this sweep found, each by its own rule, and how many did they count?
-- Grain: one row for each sweep and row of `published_counts`.
-- Order: published, study, figure
-- Notes: counted follows the study's rule over this sweep's rows, at the study's port and country; null where the sweep did not probe that
--   port, or no address of that country. Probes, ports, places and dates differ, so the two numbers show no trend. Studies of cloud networks
--   alone are counted here in all networks. Decoys are in counted, except for those counted_as undoubted.
WITH spoke AS (
    SELECT exposed.sweep, exposed.ip, exposed.port, exposed.country, exposed.accepts, is_decoy(judged.suspicions) AS decoy
    FROM exposed_2026_11 AS exposed
    LEFT JOIN fingerprints AS judged
        ON judged.sweep = exposed.sweep AND judged.ip = exposed.ip AND judged.port = exposed.port
),

responded AS (
    SELECT sweep, port, country, count(*) AS number
    FROM responses
    GROUP BY sweep, port, country
),

counted AS (
    SELECT
        spoke.sweep,
        asked.study,
        asked.published,
        asked.figure,
        CASE WHEN asked.unit = 'addresses' THEN count(DISTINCT spoke.ip) ELSE count(*) END AS counted
    FROM spoke
    JOIN published_counts AS asked
        ON (asked.counted_as = 'spoke' OR (asked.counted_as = 'accepted' AND spoke.accepts) OR (asked.counted_as = 'undoubted' AND NOT spoke.decoy))
        AND coalesce(asked.port, spoke.port) = spoke.port
        AND (asked.country IS NULL OR asked.country = spoke.country)
    GROUP BY spoke.sweep, asked.study, asked.published, asked.figure, asked.unit
    UNION ALL
    SELECT responded.sweep, asked.study, asked.published, asked.figure, sum(responded.number)
    FROM responded
    JOIN published_counts AS asked
        ON asked.counted_as = 'responded'
        AND asked.port = responded.port
        AND (asked.country IS NULL OR asked.country = responded.country)
    GROUP BY responded.sweep, asked.study, asked.published, asked.figure
),

places AS (
    SELECT DISTINCT sweep, country
    FROM coverage
    WHERE addresses > 0
)

SELECT
    sweeps.sweep,
    asked.study,
    asked.published,
    asked.figure,
    asked.counted_as,
    asked.unit,
    asked.port,
    asked.country,
    asked.published_count,
    asked.at_least,
    CASE
        WHEN (asked.port IS NULL OR list_contains(sweeps.ports, asked.port)) AND (asked.country IS NULL OR places.sweep IS NOT NULL)
            THEN CAST(coalesce(counted.counted, 0) AS BIGINT)
    END AS counted,
    asked.source
FROM sweeps
CROSS JOIN published_counts AS asked
LEFT JOIN places ON places.sweep = sweeps.sweep AND places.country = asked.country
LEFT JOIN counted
    ON counted.sweep = sweeps.sweep
    AND counted.study = asked.study
    AND counted.published = asked.published
    AND counted.figure = asked.figure
