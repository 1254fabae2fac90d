-- Question: How probable are so uneven changes of networks, if each had its sign by chance?
-- Grain: a table of (before, now): one row for each country in which a network changed, and one of_all together.
-- Notes: the sign-flip test of their net changes; p_networks_least is the smallest p that as many networks can give. networks_changed:
--   networks in which services came or went, in_one_network: the most of these services in one.
CREATE OR REPLACE MACRO networks_p(before_id, now_id) AS TABLE
    WITH flows AS (
        SELECT false AS of_all, country, unnest(networks) AS flow FROM change_since(before_id, now_id)
    ),

    summed AS (
        SELECT of_all, country, flow.network AS network, sum(flow.came) AS came, sum(flow.went) AS went
        FROM (SELECT * FROM flows UNION ALL SELECT true, NULL, flow FROM flows)
        GROUP BY of_all, country, flow.network
    )

    SELECT
        of_all,
        country,
        count(*) AS networks_changed,
        CAST(max(came + went) AS BIGINT) AS in_one_network,
        sign_flip(coalesce(list(CAST(came - went AS BIGINT)) FILTER (came <> went), [])) AS p_networks,
        least(1.0, 2.0 ** (1 - count(*))) AS p_networks_least
    FROM summed
    GROUP BY of_all, country
