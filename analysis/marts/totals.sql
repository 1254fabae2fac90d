-- Question: How many DICOM services answer in all, and among how many addresses probed?
-- Grain: one row for each sweep.
-- Order: sweep
-- Notes: columns as in `countries`; countries counts those with at least one service, without services that are not placed, and
--   countries_undoubted those with one besides decoys. echoed is null where the sweep's profile sends no C-ECHO. A focus sweep has
--   neither rates nor estimates here, since it probed most where services were: `focus_totals` has them.
WITH counted AS (
    SELECT
        sweep,
        CAST(sum(services) AS BIGINT) AS services,
        count(*) AS addresses,
        count(DISTINCT country) AS countries,
        count(DISTINCT country) FILTER (services > decoys) AS countries_undoubted,
        CAST(sum(accepting) AS BIGINT) AS accepting,
        CAST(sum(echoed) AS BIGINT) AS echoed,
        CAST(sum(rejected) AS BIGINT) AS rejected,
        CAST(sum(aborted) AS BIGINT) AS aborted,
        CAST(sum(decoys) AS BIGINT) AS decoys,
        sum(services * services) / sum(services) AS crowding
    FROM exposed_addresses
    GROUP BY sweep
),

joined AS (
    SELECT
        sweeps.sweep,
        coalesce(counted.services, 0) AS services,
        coalesce(counted.addresses, 0) AS addresses,
        coalesce(counted.countries, 0) AS countries,
        coalesce(counted.countries_undoubted, 0) AS countries_undoubted,
        coalesce(counted.accepting, 0) AS accepting,
        CASE WHEN asks_echo(sweeps.profile) THEN coalesce(counted.echoed, 0) END AS echoed,
        coalesce(counted.rejected, 0) AS rejected,
        coalesce(counted.aborted, 0) AS aborted,
        coalesce(counted.decoys, 0) AS decoys,
        counted.crowding,
        sweeps.sampled_addresses AS addresses_probed,
        sweeps.sampled_share AS share,
        sweeps.addresses AS whole,
        coalesce(counted.crowding, 1) AS each
    FROM sweeps
    LEFT JOIN counted ON counted.sweep = sweeps.sweep
)

SELECT
    * EXCLUDE (share, whole, each),
    CASE WHEN share IS NOT NULL THEN 1e6 * addresses / nullif(addresses_probed, 0) END AS per_million,
    CASE WHEN share < 1 THEN 1e6 * whole_low(addresses, share) / nullif(whole, 0) END AS per_million_low,
    CASE WHEN share < 1 THEN 1e6 * least(whole_high(addresses, share), whole) / nullif(whole, 0) END AS per_million_high,
    services / share AS services_estimated,
    addresses / share AS addresses_estimated,
    CASE WHEN share < 1 THEN whole_low(addresses, share) END AS addresses_low,
    CASE WHEN share < 1 THEN least(whole_high(addresses, share), whole) END AS addresses_high,
    CASE WHEN share < 1 THEN greatest(services, each * whole_low(services / each, share)) END AS services_low,
    CASE WHEN share < 1 THEN each * whole_high(services / each, share) END AS services_high
FROM joined
