-- Question: How many DICOM services answer in each country, and among how many addresses probed?
-- Grain: one row for each (sweep, country); null is what the database does not place.
-- Order: services DESC, country
-- Notes: addresses_probed is the country's part of the target space times the sampled share of the sweep. per_million counts
--   addresses, not services; per_million_undoubted those with a service besides decoys. Intervals (95 %, whole_low and whole_high) are given if the sweep sampled; a sweep of the whole
--   space counts completely, except for loss, which is not estimated here. Columns with estimated are for the country's whole
--   part of the target space: the count over the sampled share. A sample draws addresses, so the interval of services is wider
--   the more of them are at one address (crowding). echoed is null where the sweep's profile sends no C-ECHO.
WITH counted AS (
    SELECT
        sweep,
        country,
        CAST(sum(services) AS BIGINT) AS services,
        count(*) AS addresses,
        CAST(sum(accepting) AS BIGINT) AS accepting,
        CAST(sum(echoed) AS BIGINT) AS echoed,
        CAST(sum(rejected) AS BIGINT) AS rejected,
        CAST(sum(aborted) AS BIGINT) AS aborted,
        CAST(sum(decoys) AS BIGINT) AS decoys,
        count(*) FILTER (services > decoys) AS addresses_undoubted,
        sum(services * services) / sum(services) AS crowding
    FROM exposed_addresses
    GROUP BY sweep, country
),

space AS (
    SELECT
        coverage.sweep,
        coverage.country,
        sweeps.sampled_share AS share,
        coverage.addresses AS whole,
        coverage.addresses * coalesce(sweeps.sampled_share, 1) AS addresses_probed
    FROM coverage
    LEFT JOIN sweeps ON sweeps.sweep = coverage.sweep
    WHERE coverage.addresses > 0
),

joined AS (
    SELECT
        coalesce(counted.sweep, space.sweep) AS sweep,
        coalesce(counted.country, space.country) AS country,
        coalesce(counted.services, 0) AS services,
        coalesce(counted.addresses, 0) AS addresses,
        coalesce(counted.accepting, 0) AS accepting,
        CASE WHEN asks_echo(sweeps.profile) THEN coalesce(counted.echoed, 0) END AS echoed,
        coalesce(counted.rejected, 0) AS rejected,
        coalesce(counted.aborted, 0) AS aborted,
        coalesce(counted.decoys, 0) AS decoys,
        coalesce(counted.addresses_undoubted, 0) AS addresses_undoubted,
        counted.crowding,
        space.addresses_probed,
        space.share,
        space.whole,
        coalesce(counted.crowding, 1) AS each
    FROM counted
    FULL JOIN space ON space.sweep = counted.sweep AND space.country IS NOT DISTINCT FROM counted.country
    LEFT JOIN sweeps ON sweeps.sweep = coalesce(counted.sweep, space.sweep)
)

SELECT
    * EXCLUDE (addresses_probed, share, whole, each),
    CAST(round(addresses_probed) AS UBIGINT) AS addresses_probed,
    CASE WHEN share IS NOT NULL THEN 1e6 * addresses / nullif(addresses_probed, 0) END AS per_million,
    CASE WHEN share IS NOT NULL THEN 1e6 * addresses_undoubted / nullif(addresses_probed, 0) END AS per_million_undoubted,
    CASE WHEN share < 1 THEN 1e6 * whole_low(addresses, share) / nullif(whole, 0) END AS per_million_low,
    CASE WHEN share < 1 THEN 1e6 * least(whole_high(addresses, share), whole) / nullif(whole, 0) END AS per_million_high,
    services / share AS services_estimated,
    addresses / share AS addresses_estimated,
    CASE WHEN share < 1 THEN whole_low(addresses, share) END AS addresses_low,
    CASE WHEN share < 1 THEN least(whole_high(addresses, share), whole) END AS addresses_high,
    CASE WHEN share < 1 THEN greatest(services, each * whole_low(services / each, share)) END AS services_low,
    CASE WHEN share < 1 THEN each * whole_high(services / each, share) END AS services_high
FROM joined
