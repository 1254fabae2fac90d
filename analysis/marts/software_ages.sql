-- Question: How old are the versions that the services of each country declare, without likely decoys?
-- Grain: one row for each (sweep, country) with a service besides likely decoys, and one of_all together.
-- Order: of_all DESC, services DESC, country
-- Notes: all columns besides services are about those that are undoubted. dated declare a version of a toolkit whose release `releases`
--   knows; undated declare no such version, as all that reject or abort. Ages are at the sweep's start, in years of 365.25 days; 0 for a
--   version declared before its release. The toolkit is often a library inside a product, and vendors mend without a new version.
--   older were released more than five years before; its share is of dated, with Wilson's 95 % interval.
WITH services AS (
    SELECT
        exposed.sweep,
        exposed.country,
        is_decoy(judged.suspicions) AS decoy,
        CASE
            WHEN releases.released IS NOT NULL
                THEN greatest(0, epoch(sweeps.started_at) - epoch(releases.released)) / (86400 * 365.25)
        END AS age
    FROM exposed_2026_11 AS exposed
    JOIN sweeps ON sweeps.sweep = exposed.sweep
    LEFT JOIN fingerprints AS judged
        ON judged.sweep = exposed.sweep AND judged.ip = exposed.ip AND judged.port = exposed.port
    LEFT JOIN releases ON releases.toolkit = judged.toolkit AND releases.version = judged.toolkit_version
),

lines AS (
    SELECT sweep, false AS of_all, country, decoy, age FROM services
    UNION ALL
    SELECT sweep, true, NULL, decoy, age FROM services
),

counted AS (
    SELECT
        sweep,
        of_all,
        country,
        count(*) AS services,
        count(*) FILTER (NOT decoy) AS undoubted,
        count(age) FILTER (NOT decoy) AS dated,
        median(age) FILTER (NOT decoy) AS median_age,
        count(*) FILTER (NOT decoy AND age > 5) AS older
    FROM lines
    GROUP BY sweep, of_all, country
)

SELECT
    sweep,
    of_all,
    country,
    services,
    undoubted,
    dated,
    undoubted - dated AS undated,
    median_age,
    older,
    older / nullif(dated, 0) AS older_share,
    wilson_low(older, dated) AS older_share_low,
    wilson_high(older, dated) AS older_share_high
FROM counted
WHERE undoubted > 0
