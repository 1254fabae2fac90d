-- Question: By how many looks is the loss of services known in each country that is compared?
-- Grain: a table of (before, now): one row for each country that is compared, and one of_all together.
-- Notes: the counts are those of `change_since`. before_kept of before_looks, now_kept of now_looks: null where nothing measured a sweep's loss. alike_ columns are the same with
--   one ratio of services to hosts for both sweeps, from the looks of both: what is not known of it makes neither sweep lose more.
CREATE OR REPLACE MACRO looks_at_services(before_id, now_id) AS TABLE
    WITH compared AS (
        SELECT false AS of_all, * EXCLUDE (networks) FROM change_since(before_id, now_id)
        UNION ALL
        SELECT true, NULL, sum(COLUMNS(* EXCLUDE (country, networks)))
        FROM change_since(before_id, now_id)
        HAVING count(*) > 0
    ),

    looks AS (
        SELECT
            compared.of_all,
            compared.country,
            sweeps.sweep,
            coalesce(own.kept, whole.kept, second_look.looked_again) AS kept,
            coalesce(own.kept + own.lost, whole.kept + whole.lost, second_look.looked_at) AS seen,
            whole.kept IS NULL AS counted,
            coalesce(own.host_lost, whole.host_lost) AS host_lost,
            coalesce(own.host_lost + own.host_kept, whole.host_lost + whole.host_kept) AS hosts,
            coalesce(own.part_twice, whole.part_twice) AS twice
        FROM compared
        CROSS JOIN (FROM sweeps WHERE sweep IN (before_id, now_id)) AS sweeps
        LEFT JOIN country_loss AS whole ON whole.sweep = sweeps.sweep AND whole.of_all
        LEFT JOIN country_loss AS own
            ON own.sweep = sweeps.sweep
            AND own.country IS NOT DISTINCT FROM compared.country
            AND own.of_all = compared.of_all
        LEFT JOIN second_look ON second_look.sweep = sweeps.sweep
    ),

    ratio AS (
        SELECT
            (1 + sum((services_looked - services_again) / design_effect))
            / (1 + sum(services_looked * host_lost / (host_lost + host_kept) / design_effect)) AS ratio,
            count(*) AS sweeps
        FROM country_loss
        WHERE of_all AND sweep IN (before_id, now_id)
    ),

    scaled AS (
        SELECT
            looks.*,
            ratio.sweeps = 2 AS alike,
            host_lost / hosts AS rate,
            least(0.99, ratio.ratio * host_lost / hosts) AS once,
            once * (1 - twice * (1 - once)) AS loss,
            (once / rate) ** 2 * rate * (1 - rate) / (hosts + 1) * (1 - twice + 2 * twice * once) ** 2 AS variance,
            greatest(0.5, loss * (1 - loss) / greatest(variance, 1e-9) - 1) AS alike_seen
        FROM looks
        CROSS JOIN ratio
    )

    SELECT
        compared.*,
        first.counted AS before_counted,
        first.kept AS before_kept,
        first.seen AS before_looks,
        second.counted AS now_counted,
        second.kept AS now_kept,
        second.seen AS now_looks,
        CASE WHEN first.alike THEN (1 - first.loss) * first.alike_seen ELSE first.kept END AS alike_before_kept,
        CASE WHEN first.alike THEN first.alike_seen ELSE first.seen END AS alike_before_looks,
        CASE WHEN second.alike THEN (1 - second.loss) * second.alike_seen ELSE second.kept END AS alike_now_kept,
        CASE WHEN second.alike THEN second.alike_seen ELSE second.seen END AS alike_now_looks
    FROM compared
    JOIN scaled AS first
        ON first.sweep = before_id AND first.of_all = compared.of_all AND first.country IS NOT DISTINCT FROM compared.country
    JOIN scaled AS second
        ON second.sweep = now_id AND second.of_all = compared.of_all AND second.country IS NOT DISTINCT FROM compared.country
