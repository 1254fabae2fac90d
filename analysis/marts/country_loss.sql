-- Question: How likely does a sweep miss a service in each country, as far as second SYNs show?
-- Grain: one row for each (sweep, country) with a host that a look found, or a service; of_all is the row of all countries together.
-- Order: sweep, of_all DESC, services DESC, country
-- Notes: the loss of a country's hosts (host_lost of host_lost + host_kept independent looks) times `ratio`: the services that one look
--   missed, over those that the loss of hosts lets expect, in all countries, with one of each added (a gamma prior of mean 1). So
--   loss is known as well as by lost of lost + kept looks at services. Transient loss only. Of the targets the share part_twice is
--   visited if either of two SYNs is answered, and lost only if both are.
WITH ways AS (
    SELECT
        sweep,
        CASE WHEN bool_and(second_visits IS NOT NULL) THEN sum(second_probes) / nullif(sum(probes_sent), 0) END AS part
    FROM receipts
    WHERE round = 1
    GROUP BY sweep
),

counted AS (
    SELECT sweep, sum(services_looked) AS looked, sum(services_again) AS again
    FROM looks
    GROUP BY sweep
),

ratios AS (
    SELECT
        counted.*,
        1 + (looked - again) / host_loss.design_effect AS missed,
        1 + looked * host_loss.host_loss / host_loss.design_effect AS expected
    FROM counted
    JOIN host_loss ON host_loss.sweep = counted.sweep AND host_loss.of_all
),

lost AS (
    SELECT
        host_loss.*,
        ratios.* EXCLUDE (sweep),
        coalesce(ways.part, 0) AS part_twice,
        least(0.99, missed / expected * host_loss) AS once,
        once ** 2 * ((1 + 1 / missed) * (1 + loss_variance / host_loss ** 2) - 1) AS once_variance,
        once * (1 - part_twice * (1 - once)) AS mean,
        greatest(once_variance * (1 - part_twice + 2 * part_twice * once) ** 2, 1e-12) AS variance,
        greatest(0.5, mean * (1 - mean) / variance - 1) AS looks
    FROM host_loss
    JOIN ratios ON ratios.sweep = host_loss.sweep
    LEFT JOIN ways ON ways.sweep = host_loss.sweep
)

SELECT
    sweep,
    of_all,
    country,
    CAST(services AS BIGINT) AS services,
    CAST(hosts AS BIGINT) AS hosts,
    CAST(hosts_again AS BIGINT) AS hosts_again,
    design_effect,
    host_lost,
    host_kept,
    CASE WHEN of_all THEN CAST(looked AS BIGINT) END AS services_looked,
    CASE WHEN of_all THEN CAST(again AS BIGINT) END AS services_again,
    CASE WHEN of_all THEN missed / expected END AS ratio,
    part_twice,
    mean * looks AS lost,
    (1 - mean) * looks AS kept
FROM lost
