-- Question: Of the hosts that one SYN found, how many did the other SYN find too, in each network of each country?
-- Grain: one row for each (sweep, country, network) with a host that got a second SYN and took our request.
-- Notes: took, of which took_twice: hosts that the first SYN found, and the second one too. hosts, of which hosts_again: those that the
--   second SYN found, and the first one too; in sweeps that visit nobody by the second SYN, the same as took and took_twice.
--   services_looked, of which services_again: likewise of exposed services. Hosts in a /24 that answers everything do not count.
--   network is the autonomous system, or the /24 where no database knows one. Never publish its rows.
WITH ways AS (
    SELECT sweep, bool_and(second_visits IS NOT NULL) AS visited_both
    FROM receipts
    WHERE round = 1
    GROUP BY sweep
),

answering AS (
    SELECT responses.sweep, responses.ip >> 8 AS prefix
    FROM responses
    JOIN sweeps ON sweeps.sweep = responses.sweep
    WHERE responses.sweep IN (SELECT DISTINCT second_syns.sweep FROM second_syns)
    GROUP BY responses.sweep, responses.ip >> 8, sweeps.sampled_share
    HAVING count(DISTINCT responses.ip) >= greatest(2, 32 * coalesce(sweeps.sampled_share, 1))
    UNION
    SELECT sweep, ip >> 8
    FROM controls
    GROUP BY sweep, ip >> 8
    HAVING count(DISTINCT ip) >= 2
),

targets AS (
    SELECT
        second.sweep,
        responses.country,
        network_of(responses.asn, second.ip) AS network,
        second.answered_first,
        second.answered_first AND second.answered_second AS twice,
        CASE WHEN ways.visited_both THEN second.answered_second ELSE second.answered_first END AS looked,
        exposed.ip IS NOT NULL AS is_service
    FROM second_syns AS second
    JOIN responses
        ON responses.sweep = second.sweep AND responses.ip = second.ip AND responses.port = second.port
    LEFT JOIN answering ON answering.sweep = second.sweep AND answering.prefix = second.ip >> 8
    LEFT JOIN exposed_2026_11 AS exposed
        ON exposed.sweep = second.sweep AND exposed.ip = second.ip AND exposed.port = second.port
    LEFT JOIN ways ON ways.sweep = second.sweep
    WHERE accepts_data(responses.outcome) AND answering.prefix IS NULL
)

SELECT
    sweep,
    country,
    network,
    count(*) FILTER (answered_first) AS took,
    count(*) FILTER (twice) AS took_twice,
    count(*) FILTER (looked) AS hosts,
    count(*) FILTER (looked AND twice) AS hosts_again,
    count(*) FILTER (looked AND is_service) AS services_looked,
    count(*) FILTER (looked AND twice AND is_service) AS services_again
FROM targets
GROUP BY sweep, country, network
