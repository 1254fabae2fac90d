-- Question: What is known of the loss of hosts in each country, with what other countries say of it?
-- Grain: one row for each (sweep, country) as in `host_looks`, and one of_all countries together, weighted by their services.
-- Notes: empirical Bayes: a country's rate is drawn to that of all the more, the fewer looks it has (beta-binomial; moments of Kleinman
--   1973), but never knows more than all looks together. host_loss has the mean, loss_variance the variance of host_lost and host_kept.
WITH scaled AS (
    SELECT
        *,
        hosts / design_effect AS found,
        (hosts - hosts_again) / design_effect AS missed,
        hosts / sum(hosts) OVER (PARTITION BY sweep) AS weight,
        loss_rate * (1 - loss_rate) AS noise
    FROM host_looks
),

spread AS (
    SELECT
        sweep,
        sum(weight * (missed / found - loss_rate) ** 2 ORDER BY country) - any_value(noise) * sum(weight * (1 - weight) / found ORDER BY country) AS between_countries,
        any_value(noise) * sum(weight * (1 - weight) * (1 - 1 / greatest(found, 1)) ORDER BY country) AS most
    FROM scaled
    WHERE hosts > 0
    GROUP BY sweep
),

drawn AS (
    SELECT
        scaled.*,
        greatest(1, least(all_looks, most / nullif(greatest(0, between_countries), 0) - 1)) AS like_others,
        least(like_others, all_looks - found + 1) AS borrowed,
        missed + loss_rate * borrowed AS host_lost,
        found - missed + (1 - loss_rate) * borrowed AS host_kept,
        host_lost / (host_lost + host_kept) AS host_loss,
        host_loss * (1 - host_loss) / (host_lost + host_kept + 1) AS loss_variance
    FROM scaled
    JOIN spread ON spread.sweep = scaled.sweep
),

whole AS (
    SELECT
        sweep,
        CAST(sum(services) AS BIGINT) AS services,
        CAST(sum(hosts) AS BIGINT) AS hosts,
        CAST(sum(hosts_again) AS BIGINT) AS hosts_again,
        any_value(design_effect) AS design_effect,
        coalesce(sum(services * host_loss ORDER BY country) / nullif(sum(services), 0), any_value(loss_rate)) AS mean,
        coalesce(
            sum(services ** 2 * loss_variance ORDER BY country) / nullif(sum(services), 0) ** 2, any_value(noise / (all_looks + 1))
        ) AS variance,
        mean * (1 - mean) / variance - 1 AS looks
    FROM drawn
    GROUP BY sweep
)

SELECT
    sweep, false AS of_all, country, services, hosts, hosts_again, design_effect, host_loss, loss_variance, host_lost, host_kept
FROM drawn
UNION ALL
SELECT
    sweep, true, NULL, services, hosts, hosts_again, design_effect, mean, variance, mean * looks, (1 - mean) * looks
FROM whole
