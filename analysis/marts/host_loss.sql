-- Question: What is known of the loss of hosts in each country, with what other countries say of it?
-- Grain: one row for each (sweep, country) as in `host_looks`, and one of_all countries together, weighted by their services.
-- Notes: empirical Bayes: a country's rate is drawn to that of all the more, the fewer looks it has (beta-binomial; moments of Kleinman
--   1973). How unlike countries are is known by few looks as well, so it is never taken to be nothing (adjusted likelihood of Li and
--   Lahiri 2010). host_loss has the mean, loss_variance the variance of host_lost and host_kept: a country's own, and that of the rate to
--   which all are drawn, in which all countries err alike. Nothing is known worse than by half a look.
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
        sum(weight * (missed / found - loss_rate) ** 2 ORDER BY country) - any_value(noise) * sum(weight * (1 - weight) / found ORDER BY country) AS scatter,
        sum((weight * (1 - weight)) ** 2 * noise * (2 * noise / found ** 2 + (1 - 6 * noise) / found ** 3) ORDER BY country) AS scatter_variance,
        (scatter + sqrt(scatter ** 2 + 4 * greatest(0, scatter_variance))) / 2 AS between_countries,
        any_value(noise) * sum(weight * (1 - weight) * (1 - 1 / greatest(found, 1)) ORDER BY country) AS most,
        any_value(noise / all_looks) + between_countries * sum(weight ** 2 ORDER BY country) AS rate_variance
    FROM scaled
    WHERE hosts > 0
    GROUP BY sweep
),

drawn AS (
    SELECT
        scaled.*,
        rate_variance,
        greatest(1, coalesce(most / nullif(between_countries, 0) - 1, all_looks)) AS like_others,
        like_others / (found + like_others) AS borrowed,
        (1 - borrowed) * coalesce(missed / nullif(found, 0), 0) + borrowed * loss_rate AS host_loss,
        host_loss * (1 - host_loss) / (found + like_others + 1) AS own_variance
    FROM scaled
    JOIN spread ON spread.sweep = scaled.sweep
),

known AS (
    SELECT
        sweep, false AS of_all, country, services, hosts, hosts_again, design_effect,
        host_loss,
        own_variance + borrowed ** 2 * rate_variance AS loss_variance
    FROM drawn
    UNION ALL
    SELECT
        sweep, true, NULL,
        CAST(sum(services) AS BIGINT),
        CAST(sum(hosts) AS BIGINT),
        CAST(sum(hosts_again) AS BIGINT),
        any_value(design_effect),
        coalesce(sum(services * host_loss ORDER BY country) / nullif(sum(services), 0), any_value(loss_rate)),
        coalesce(
            sum(services ** 2 * own_variance ORDER BY country) / nullif(sum(services), 0) ** 2
            + (sum(services * borrowed ORDER BY country) / nullif(sum(services), 0)) ** 2 * any_value(rate_variance),
            any_value(rate_variance)
        )
    FROM drawn
    GROUP BY sweep
),

counted AS (
    SELECT *, greatest(0.5, host_loss * (1 - host_loss) / loss_variance - 1) AS looks FROM known
)

SELECT
    * EXCLUDE (looks) REPLACE (host_loss * (1 - host_loss) / (looks + 1) AS loss_variance),
    host_loss * looks AS host_lost,
    (1 - host_loss) * looks AS host_kept
FROM counted
