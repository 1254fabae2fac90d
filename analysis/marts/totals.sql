-- Question: How many DICOM services answer in all, and among how many addresses probed?
-- Grain: one row for each sweep.
-- Order: sweep
-- Notes: columns as in `countries`; countries counts those with at least one service, without services that are not placed.
--   echoed is null where the sweep's profile sends no C-ECHO.
WITH counted AS (
    SELECT
        sweep,
        count(*) AS services,
        count(DISTINCT ip) AS addresses,
        count(DISTINCT country) AS countries,
        count(*) FILTER (accepts) AS accepting,
        count(*) FILTER (outcome = 'echoed') AS echoed,
        count(*) FILTER (outcome = 'rejected') AS rejected,
        count(*) FILTER (outcome = 'aborted') AS aborted
    FROM exposed_2026_11
    GROUP BY sweep
),

joined AS (
    SELECT
        sweeps.sweep,
        coalesce(counted.services, 0) AS services,
        coalesce(counted.addresses, 0) AS addresses,
        coalesce(counted.countries, 0) AS countries,
        coalesce(counted.accepting, 0) AS accepting,
        CASE WHEN asks_echo(sweeps.profile) THEN coalesce(counted.echoed, 0) END AS echoed,
        coalesce(counted.rejected, 0) AS rejected,
        coalesce(counted.aborted, 0) AS aborted,
        sweeps.sampled_addresses AS addresses_probed,
        sweeps.sampled_share AS share,
        sweeps.addresses AS whole
    FROM sweeps
    LEFT JOIN counted ON counted.sweep = sweeps.sweep
)

SELECT
    * EXCLUDE (share, whole),
    1e6 * addresses / nullif(addresses_probed, 0) AS per_million,
    CASE WHEN share < 1 THEN 1e6 * wilson_low(addresses, addresses_probed) END AS per_million_low,
    CASE WHEN share < 1 THEN 1e6 * wilson_high(addresses, addresses_probed) END AS per_million_high,
    services / share AS services_estimated,
    addresses / share AS addresses_estimated,
    CASE WHEN share < 1 THEN whole * wilson_low(addresses, addresses_probed) END AS addresses_low,
    CASE WHEN share < 1 THEN whole * wilson_high(addresses, addresses_probed) END AS addresses_high
FROM joined
