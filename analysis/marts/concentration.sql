-- Question: In how few networks and configurations are the services of each country, without likely decoys?
-- Grain: one row for each (sweep, country) with a service besides likely decoys, and one of_all together.
-- Order: of_all DESC, services DESC, country
-- Notes: all columns besides services are about those that are undoubted, since decoys are alike. A configuration is what a service declares and how it answers: class UID, version, outcome, reason of rejection and behaviour.
--   largest and ten_largest count those with the commonest one, and the ten commonest. A network is an
--   autonomous system, or a /24 where no database knows one. effective_networks is one over the sum of squared shares (Hill number of
--   order 2): as many networks of one size are as concentrated. without_largest counts the services outside of the largest network.
WITH services AS (
    SELECT
        exposed.sweep,
        exposed.country,
        network_of(exposed.asn, exposed.ip) AS network,
        hash(
            exposed.implementation_class_uid, exposed.implementation_version_name, exposed.outcome, exposed.rj_reason,
            judged.behaviour_rules
        ) AS configuration,
        is_decoy(judged.suspicions) AS decoy
    FROM exposed_2026_11 AS exposed
    LEFT JOIN fingerprints AS judged
        ON judged.sweep = exposed.sweep AND judged.ip = exposed.ip AND judged.port = exposed.port
),

every AS (
    SELECT sweep, false AS of_all, country, network, configuration, decoy FROM services
    UNION ALL
    SELECT sweep, true, NULL, network, configuration, decoy FROM services
),

lines AS (
    SELECT * FROM every WHERE NOT decoy
),

totals AS (
    SELECT sweep, of_all, country, count(*) AS services
    FROM every
    GROUP BY sweep, of_all, country
),

configurations AS (
    SELECT sweep, of_all, country, list_reverse_sort(list(number)) AS numbers
    FROM (SELECT sweep, of_all, country, count(*) AS number FROM lines GROUP BY sweep, of_all, country, configuration)
    GROUP BY sweep, of_all, country
),

networks AS (
    SELECT sweep, of_all, country, sum(number) AS undoubted, max(number) AS most, sum(number ** 2) AS squares
    FROM (SELECT sweep, of_all, country, count(*) AS number FROM lines GROUP BY sweep, of_all, country, network)
    GROUP BY sweep, of_all, country
)

SELECT
    networks.sweep,
    networks.of_all,
    networks.country,
    totals.services,
    CAST(networks.undoubted AS BIGINT) AS undoubted,
    len(configurations.numbers) AS configurations,
    configurations.numbers[1] AS largest,
    CAST(list_sum(configurations.numbers[1:10]) AS BIGINT) AS ten_largest,
    largest / networks.undoubted AS largest_share,
    ten_largest / networks.undoubted AS ten_largest_share,
    networks.undoubted ** 2 / networks.squares AS effective_networks,
    CAST(networks.undoubted - networks.most AS BIGINT) AS without_largest
FROM networks
JOIN configurations
    ON configurations.sweep = networks.sweep
    AND configurations.of_all = networks.of_all
    AND configurations.country IS NOT DISTINCT FROM networks.country
JOIN totals
    ON totals.sweep = networks.sweep
    AND totals.of_all = networks.of_all
    AND totals.country IS NOT DISTINCT FROM networks.country
