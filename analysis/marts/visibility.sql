-- Question: Of the services that any vantage saw of a visibility sample, how many did each vantage see, by country?
-- Grain: one row for each (sweep, country, vantage_name) of a sample with such a service, and one of_all together.
-- Order: of_all DESC, seen_any DESC, country, vantage_name
-- Notes: the services are those of `visible_services`, without likely decoys; sweep is the one whose sample it is. All but seen_any is null
--   for a vantage that did not probe it. missed_alone are services that all others saw. The interval of visible_share is Wilson's, 95 %,
--   of counts that are design_effect times smaller, since a network's services are missed together (Kish 1965): 1 + (c - 1) r, c being the
--   mean size of a service's network, r how far they are. Of the fellows of a missed service in its network, a share is missed too, and r is
--   what of it all services do not explain. It begins with one fellow that is missed. What no vantage sees is in no number.
WITH every AS (
    SELECT sweep, false AS of_all, country, network, seen_by, vantages_asked, vantages_named FROM visible_services
    UNION ALL
    SELECT sweep, true, NULL, network, seen_by, vantages_asked, vantages_named FROM visible_services
),

looked AS (
    SELECT
        sweep, of_all, country, network,
        unnest(vantages_named) AS vantage_name,
        list_contains(vantages_asked, vantage_name) AS probed,
        probed AND NOT list_contains(seen_by, vantage_name) AS missed,
        missed AND len(seen_by) = len(vantages_asked) - 1 AS alone
    FROM every
),

networks AS (
    SELECT
        sweep, of_all, country, vantage_name, probed, network,
        count(*) AS services, count(*) FILTER (missed) AS missed, count(*) FILTER (alone) AS alone
    FROM looked
    GROUP BY ALL
),

totals AS (
    SELECT
        sweep, of_all, country, vantage_name, probed,
        sum(services) AS seen_any,
        sum(missed) AS missed,
        sum(alone) AS missed_alone,
        sum(services ** 2) / sum(services) AS crowding,
        1 + coalesce(sum(missed) FILTER (services > 1), 0) AS with_fellows,
        1 + coalesce(sum(missed * (missed - 1) / (services - 1)) FILTER (services > 1), 0) AS fellows_missed
    FROM networks
    GROUP BY sweep, of_all, country, vantage_name, probed
),

spread AS (
    SELECT
        *,
        seen_any - missed AS visible,
        1 + (crowding - 1) * greatest(0, coalesce(1 - (1 - fellows_missed / with_fellows) * seen_any / nullif(visible, 0), 1)) AS effect
    FROM totals
)

SELECT
    sweep,
    of_all,
    country,
    vantage_name,
    CAST(seen_any AS BIGINT) AS seen_any,
    CASE WHEN probed THEN CAST(visible AS BIGINT) END AS visible,
    CASE WHEN probed THEN CAST(missed_alone AS BIGINT) END AS missed_alone,
    CASE WHEN probed THEN visible / seen_any END AS visible_share,
    CASE WHEN probed THEN wilson_low(visible / effect, seen_any / effect) END AS visible_low,
    CASE WHEN probed THEN wilson_high(visible / effect, seen_any / effect) END AS visible_high,
    CASE WHEN probed THEN effect END AS design_effect
FROM spread
