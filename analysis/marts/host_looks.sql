-- Question: How many hosts of each country did the looks find, and how alike are hosts of one network lost?
-- Grain: one row for each (sweep, country) with a host that a look found, or a service.
-- Notes: loss_rate and all_looks are of all countries together: the share of hosts that was missed, and how many independent looks all
--   are. design_effect is the variance between networks over that of independent hosts, at least 1 (Rao and Scott 1992).
WITH counted AS (
    SELECT
        sweep,
        country,
        sum(hosts) AS found,
        sum(hosts_again) AS again,
        sum((hosts - hosts_again) ** 2) AS missed_squared,
        sum((hosts - hosts_again) * hosts) AS missed_found,
        sum(hosts ** 2) AS found_squared
    FROM looks
    GROUP BY sweep, country
),

seen AS (
    SELECT sweep, country, sum(services) AS services
    FROM exposed_addresses
    WHERE sweep IN (SELECT sweep FROM looks)
    GROUP BY sweep, country
),

joined AS (
    SELECT
        coalesce(counted.sweep, seen.sweep) AS sweep,
        coalesce(counted.country, seen.country) AS country,
        coalesce(services, 0) AS services,
        coalesce(found, 0) AS hosts,
        coalesce(again, 0) AS hosts_again,
        1 - coalesce(again / nullif(found, 0), 1) AS lost,
        coalesce(missed_squared - 2 * lost * missed_found + lost ** 2 * found_squared, 0) AS between_networks
    FROM counted
    FULL JOIN seen ON seen.sweep = counted.sweep AND seen.country IS NOT DISTINCT FROM counted.country
),

pooled AS (
    SELECT
        sweep,
        greatest(1, coalesce(sum(between_networks ORDER BY country) / nullif(sum(lost * hosts_again ORDER BY country), 0), 1)) AS design_effect,
        sum(hosts) AS all_hosts,
        (sum(hosts - hosts_again) + 0.5) / (sum(hosts) + 1) AS loss_rate
    FROM joined
    GROUP BY sweep
    HAVING sum(hosts) > 0
)

SELECT
    joined.sweep,
    joined.country,
    CAST(joined.services AS BIGINT) AS services,
    CAST(joined.hosts AS BIGINT) AS hosts,
    CAST(joined.hosts_again AS BIGINT) AS hosts_again,
    pooled.design_effect,
    pooled.loss_rate,
    pooled.all_hosts / pooled.design_effect AS all_looks
FROM joined
JOIN pooled ON pooled.sweep = joined.sweep
