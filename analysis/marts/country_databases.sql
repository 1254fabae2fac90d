-- Question: How many services are in each country, by each of two geolocation databases?
-- Grain: one row for each (sweep, country) that either database names; null is what a database does not place.
-- Order: greatest(services, services_second) DESC, country
-- Notes: services and addresses_probed are by the first database, as in `countries`; columns ending in _second by the second. both
--   counts the services that both place there. Null: the sweep was enriched by an older program.
WITH placed AS (
    SELECT exposed.sweep, exposed.country, locations.country_second, locations.second_source IS NOT NULL AS has_second
    FROM exposed_2026_11 AS exposed
    LEFT JOIN locations ON locations.sweep = exposed.sweep AND locations.ip = exposed.ip
),

counted AS (
    SELECT
        sweep,
        country,
        count(*) AS services,
        count(*) FILTER (has_second AND country_second IS NOT DISTINCT FROM country) AS agreed,
        0 AS second
    FROM placed
    GROUP BY sweep, country
    UNION ALL
    SELECT sweep, country_second, 0, 0, count(*)
    FROM placed
    WHERE has_second
    GROUP BY sweep, country_second
),

summed AS (
    SELECT sweep, country, sum(services) AS services, sum(agreed) AS agreed, sum(second) AS second
    FROM counted
    GROUP BY sweep, country
)

SELECT
    coverage.sweep,
    coverage.country,
    CAST(coalesce(summed.services, 0) AS BIGINT) AS services,
    CASE WHEN coverage.second_source IS NOT NULL THEN CAST(coalesce(summed.second, 0) AS BIGINT) END AS services_second,
    CASE WHEN coverage.second_source IS NOT NULL THEN CAST(coalesce(summed.agreed, 0) AS BIGINT) END AS both,
    CAST(round(coverage.addresses * coalesce(sweeps.sampled_share, 1)) AS UBIGINT) AS addresses_probed,
    CAST(round(coverage.addresses_second * coalesce(sweeps.sampled_share, 1)) AS UBIGINT) AS addresses_probed_second
FROM coverage
LEFT JOIN summed ON summed.sweep = coverage.sweep AND summed.country IS NOT DISTINCT FROM coverage.country
LEFT JOIN sweeps ON sweeps.sweep = coverage.sweep
