-- Question: How probable is so uneven a change of services, if as many came as went?
-- Grain: a table of (before, now): one row for each country that is compared, and one of_all together.
-- Notes: McNemar's exact test, averaged over the losses that the looks allow; the larger p of two cases: loss explains all that came and
--   went (part 0), or its part alone. p_services_least is the smallest p that as many services can give. The other columns are those of
--   `looks_at_services`.
CREATE OR REPLACE MACRO services_p(before_id, now_id) AS TABLE
    WITH looked AS (
        FROM looks_at_services(before_id, now_id)
    ),

    averaged AS (
        SELECT
            of_all,
            country,
            part,
            sum(weight * binomial_at_most(came, moved, share)) AS p_less,
            sum(weight * binomial_at_least(came, moved, share)) AS p_more,
            sum(weight * share ** moved) AS p_all_came,
            sum(weight * (1 - share) ** moved) AS p_all_went
        FROM expected_shares(before_id, now_id)
        GROUP BY of_all, country, part
    ),

    tested AS (
        SELECT
            of_all,
            country,
            max(least(1.0, 2 * least(p_less, p_more))) AS p_services,
            least(1.0, 2 * least(max(p_all_came), max(p_all_went))) AS p_services_least
        FROM averaged
        GROUP BY of_all, country
    )

    SELECT looked.* EXCLUDE (alike_before_kept, alike_before_looks, alike_now_kept, alike_now_looks), p_services, p_services_least
    FROM looked
    JOIN tested ON tested.of_all = looked.of_all AND tested.country IS NOT DISTINCT FROM looked.country
