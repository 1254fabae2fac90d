-- Question: How many services were reachable in each country, seen or missed?
-- Grain: one row for each (sweep, country) of `countries`, and one of_all countries together.
-- Notes: chance is the probability that the sweep sees a service that it probes: by `country_loss`, of a country without a row there by
--   its row of all countries, else by `second_look`; null where nothing measured it, and then there is about the sample alone.
WITH counted AS (
    SELECT sweep, false AS of_all, country, services, decoys, crowding FROM countries
    UNION ALL
    SELECT sweep, true, NULL, services, decoys, crowding FROM totals
),

looked AS (
    SELECT
        counted.*,
        coalesce(sweeps.sampled_share, 1) AS share,
        CASE WHEN sweeps.sampled_share < 1 THEN coalesce(counted.crowding, 1) ELSE 1.0 END AS each,
        coalesce(own.kept, whole.kept) AS kept,
        coalesce(own.lost, whole.lost) AS lost,
        look.looked_again,
        look.looked_at
    FROM counted
    JOIN sweeps ON sweeps.sweep = counted.sweep
    LEFT JOIN country_loss AS whole ON whole.sweep = counted.sweep AND whole.of_all
    LEFT JOIN country_loss AS own
        ON own.sweep = counted.sweep
        AND own.country IS NOT DISTINCT FROM counted.country
        AND own.of_all = counted.of_all
    LEFT JOIN second_look AS look ON look.sweep = counted.sweep
),

chances AS (
    SELECT
        *,
        CASE WHEN kept IS NULL THEN looked_again / looked_at ELSE kept / (kept + lost) END AS chance,
        CASE WHEN kept IS NULL THEN share_low(looked_again, looked_at) ELSE beta_quantile(0.025, kept, lost) END AS chance_low,
        CASE WHEN kept IS NULL THEN share_high(looked_again, looked_at) ELSE beta_quantile(0.975, kept, lost) END AS chance_high
    FROM looked
),

seen AS (
    SELECT
        *,
        share * coalesce(chance, 1) AS q,
        share * coalesce(chance_low, 1) AS q_low,
        share * coalesce(chance_high, 1) AS q_high
    FROM chances
)

SELECT
    sweep,
    of_all,
    country,
    services,
    CASE
        WHEN services > 0 AND country IS NOT NULL
            THEN rank() OVER (PARTITION BY sweep, country IS NULL ORDER BY services - decoys DESC)
    END AS rank,
    chance,
    chance_low,
    chance_high,
    services / q AS there,
    greatest(services, each * abundance_low(services / each, q, q_low, q_high)) AS there_low,
    each * abundance_high(services / each, q, q_low, q_high) AS there_high
FROM seen
