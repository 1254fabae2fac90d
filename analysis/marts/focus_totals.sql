-- Question: How many services would a sweep of the whole space have found, by a focus sweep?
-- Grain: one row for each (sweep, country) of a focus sweep with a service, and one of_all together.
-- Notes: Horvitz and Thompson's estimate (1952): each service counts 1 / inclusion times. Where services were, all is probed
--   (services_known), so only the total of the other /24s has an interval: that of a sample of /24s (drawn_low, drawn_high), in which
--   services crowd as in all (crowding_slash24). undoubted are services besides
--   likely decoys. Loss on the network is not in it.
WITH lines AS (
    SELECT sweep, false AS of_all, country, inclusion, services, undoubted FROM focus_slash24s
    UNION ALL
    SELECT sweep, true, NULL, inclusion, services, undoubted FROM focus_slash24s
    UNION ALL
    SELECT sweep, true, NULL, 1, 0, 0 FROM focus_strata
),

counted AS (
    SELECT
        sweep,
        of_all,
        country,
        CAST(sum(services) AS BIGINT) AS services,
        CAST(coalesce(sum(services) FILTER (inclusion = 1), 0) AS BIGINT) AS services_known,
        CAST(sum(undoubted) AS BIGINT) AS undoubted,
        CAST(coalesce(sum(undoubted) FILTER (inclusion = 1), 0) AS BIGINT) AS undoubted_known
    FROM lines
    GROUP BY sweep, of_all, country
),

joined AS (
    SELECT
        counted.*,
        strata.inclusion AS share,
        strata.crowding_slash24 AS each,
        strata.crowding_undoubted AS each_undoubted,
        counted.services - counted.services_known AS drawn,
        counted.undoubted - counted.undoubted_known AS drawn_undoubted
    FROM counted
    JOIN focus_strata AS strata ON strata.sweep = counted.sweep
)

SELECT
    sweep,
    of_all,
    country,
    share AS inclusion,
    each AS crowding_slash24,
    services,
    services_known,
    services_known + drawn / share AS services_estimated,
    services_known + drawn_low(drawn, each, share) AS services_low,
    services_known + drawn_high(drawn, each, share) AS services_high,
    undoubted,
    undoubted_known + drawn_undoubted / share AS undoubted_estimated,
    undoubted_known + drawn_low(drawn_undoubted, each_undoubted, share) AS undoubted_low,
    undoubted_known + drawn_high(drawn_undoubted, each_undoubted, share) AS undoubted_high
FROM joined
