-- Question: How many addresses have a service, of a million probed, announced, or answering at all, in each country?
-- Grain: one row for each (sweep, country) of `countries` with addresses in the target space, and one of_all together.
-- Order: of_all DESC, services DESC, country
-- Notes: undoubted are services besides likely decoys. announced counts the probed addresses that a network announces in BGP; null if no
--   network database was named. responsive counts addresses that answered a SYN on any port that was probed. In a sample probed and
--   announced are expectations: the country's part of the space times the sampled share, with a standard deviation of their root. A
--   focus sweep has no rates: it probed most where services were.
WITH announced AS (
    SELECT sweep, country, coalesce(sum(addresses) FILTER (asn IS NOT NULL), 0) AS announced
    FROM network_coverage
    GROUP BY sweep, country
),

answering AS (
    SELECT sweep, country, count(DISTINCT ip) AS responsive
    FROM responses
    GROUP BY sweep, country
),

counted AS (
    SELECT
        countries.sweep,
        countries.country,
        countries.services,
        countries.services - countries.decoys AS undoubted,
        countries.addresses,
        countries.addresses_undoubted,
        countries.addresses_probed,
        announced.announced,
        sweeps.sampled_share,
        coalesce(answering.responsive, 0) AS responsive
    FROM countries
    LEFT JOIN announced
        ON announced.sweep = countries.sweep AND announced.country IS NOT DISTINCT FROM countries.country
    LEFT JOIN answering
        ON answering.sweep = countries.sweep AND answering.country IS NOT DISTINCT FROM countries.country
    JOIN sweeps ON sweeps.sweep = countries.sweep
    WHERE countries.addresses_probed > 0 AND sweeps.sampled_share IS NOT NULL
),

summed AS (
    SELECT sweep, false AS of_all, sampled_share, * EXCLUDE (sweep, sampled_share) FROM counted
    UNION ALL
    SELECT sweep, true, sampled_share, NULL, sum(COLUMNS(* EXCLUDE (sweep, sampled_share, country)))
    FROM counted
    GROUP BY sweep, sampled_share
),

lines AS (
    SELECT * REPLACE (announced * sampled_share AS announced) FROM summed
)

SELECT
    sweep,
    of_all,
    country,
    CAST(services AS BIGINT) AS services,
    CAST(undoubted AS BIGINT) AS undoubted,
    CAST(addresses AS BIGINT) AS addresses,
    CAST(addresses_undoubted AS BIGINT) AS addresses_undoubted,
    CAST(addresses_probed AS BIGINT) AS addresses_probed,
    CAST(round(announced) AS BIGINT) AS announced,
    CAST(responsive AS BIGINT) AS responsive,
    1e6 * addresses / addresses_probed AS per_million,
    1e6 * addresses / nullif(announced, 0) AS per_million_announced,
    1e6 * addresses / nullif(responsive, 0) AS per_million_responsive,
    1e6 * addresses_undoubted / nullif(announced, 0) AS undoubted_per_announced,
    1e6 * addresses_undoubted / nullif(responsive, 0) AS undoubted_per_responsive
FROM lines
