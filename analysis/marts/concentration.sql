-- Question: In how few networks and configurations are the services of each country?
-- Grain: one row for each (sweep, country) with a service, and one of_all together.
-- Notes: a configuration is what a service declares and how it answers: class UID, version, outcome, reason of rejection and behaviour.
--   largest_share and ten_largest_share are the parts of services with the commonest one, and the ten commonest. A network is an
--   autonomous system, or a /24 where no database knows one. effective_networks is one over the sum of squared shares (Hill number of
--   order 2): as many networks of one size are as concentrated. without_largest counts the services outside of the largest network.
WITH services AS (
    SELECT
        exposed.sweep,
        exposed.country,
        coalesce('AS' || exposed.asn, dotted((exposed.ip >> 8) << 8) || '/24') AS network,
        hash(
            exposed.implementation_class_uid, exposed.implementation_version_name, exposed.outcome, exposed.rj_reason,
            judged.behaviour_rules
        ) AS configuration
    FROM exposed_2026_11 AS exposed
    LEFT JOIN fingerprints AS judged
        ON judged.sweep = exposed.sweep AND judged.ip = exposed.ip AND judged.port = exposed.port
),

lines AS (
    SELECT sweep, false AS of_all, country, network, configuration FROM services
    UNION ALL
    SELECT sweep, true, NULL, network, configuration FROM services
),

configurations AS (
    SELECT sweep, of_all, country, list_reverse_sort(list(number)) AS numbers
    FROM (SELECT sweep, of_all, country, count(*) AS number FROM lines GROUP BY sweep, of_all, country, configuration)
    GROUP BY sweep, of_all, country
),

networks AS (
    SELECT sweep, of_all, country, sum(number) AS services, max(number) AS largest, sum(number ** 2) AS squares
    FROM (SELECT sweep, of_all, country, count(*) AS number FROM lines GROUP BY sweep, of_all, country, network)
    GROUP BY sweep, of_all, country
)

SELECT
    networks.sweep,
    networks.of_all,
    networks.country,
    CAST(networks.services AS BIGINT) AS services,
    len(configurations.numbers) AS configurations,
    configurations.numbers[1] / networks.services AS largest_share,
    list_sum(configurations.numbers[1:10]) / networks.services AS ten_largest_share,
    networks.services ** 2 / networks.squares AS effective_networks,
    CAST(networks.services - networks.largest AS BIGINT) AS without_largest
FROM networks
JOIN configurations
    ON configurations.sweep = networks.sweep
    AND configurations.of_all = networks.of_all
    AND configurations.country IS NOT DISTINCT FROM networks.country
