-- Question: What changed from one sweep of a series to another beyond loss and chance, in each country?
-- Grain: a table of (before, now): one row for each country of `change_since`, and one of_all together.
-- Notes: the columns of a report's table of changes; null where the loss of a sweep is not known. p_growth is the larger p of
--   `services_p` and `networks_p`, p_adjusted is corrected for all countries that are compared (Holm 1979).
CREATE OR REPLACE MACRO change_estimates(before_id, now_id) AS TABLE
    WITH tested AS (
        SELECT
            changed.*,
            coalesce(networks.networks_changed, 0) AS networks_changed,
            coalesce(networks.in_one_network, 0) AS in_one_network,
            greatest(changed.p_services, coalesce(networks.p_networks, 1)) AS p_growth,
            greatest(changed.p_services_least, coalesce(networks.p_networks_least, 1)) AS p_least
        FROM change_intervals(before_id, now_id) AS changed
        LEFT JOIN networks_p(before_id, now_id) AS networks
            ON networks.of_all = changed.of_all AND networks.country IS NOT DISTINCT FROM changed.country
    ),

    placed AS (
        SELECT
            *,
            count(*) OVER (PARTITION BY of_all) AS compared,
            compared - row_number() OVER (PARTITION BY of_all ORDER BY p_growth, country) + 1 AS place
        FROM tested
    ),

    adjusted AS (
        SELECT *, least(1.0, max(p_growth * place) OVER (PARTITION BY of_all ORDER BY place DESC)) AS p_adjusted
        FROM placed
    )

    SELECT
        of_all,
        country,
        CAST(COLUMNS('^(stayed|came|went|entered|left_space|moved_in|moved_out|withheld)$') AS BIGINT),
        COLUMNS('^(new|gone|turnover)(_by_loss|_net|_low|_high)?$'),
        networks_changed,
        in_one_network,
        p_growth,
        p_adjusted,
        CASE
            WHEN p_adjusted < 0.05 THEN CASE WHEN came > went THEN 'up' ELSE 'down' END
            WHEN p_least >= 0.05 / compared THEN 'few'
            ELSE ''
        END AS flag
    FROM adjusted
