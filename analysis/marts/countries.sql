-- Question: How many DICOM services answer in each country, and among how many addresses probed?
-- Grain: one row for each (sweep, country); null is what the database does not place.
-- Order: services DESC, country
-- Notes: addresses_probed is the country's part of the target space times the sampled share of the sweep. per_million counts
--   addresses, not services. Its interval (Wilson, 95 %) is given if the sweep sampled; a sweep of the whole space counts
--   completely, except for loss, which is not estimated here. Columns with estimated are for the country's whole part of the
--   target space: the count over the sampled share. echoed is null where the sweep's profile sends no C-ECHO.
WITH counted AS (
    SELECT
        sweep,
        country,
        count(*) AS services,
        count(DISTINCT ip) AS addresses,
        count(*) FILTER (accepts) AS accepting,
        count(*) FILTER (outcome = 'echoed') AS echoed,
        count(*) FILTER (outcome = 'rejected') AS rejected,
        count(*) FILTER (outcome = 'aborted') AS aborted
    FROM exposed_2026_11
    GROUP BY ALL
),

space AS (
    SELECT
        coverage.sweep,
        coverage.country,
        sweeps.sampled_share AS share,
        coverage.addresses AS whole,
        coverage.addresses * sweeps.sampled_share AS addresses_probed
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
        space.addresses_probed,
        space.share,
        space.whole
    FROM counted
    FULL JOIN space ON space.sweep = counted.sweep AND space.country IS NOT DISTINCT FROM counted.country
    LEFT JOIN sweeps ON sweeps.sweep = coalesce(counted.sweep, space.sweep)
)

SELECT
    * EXCLUDE (addresses_probed, share, whole),
    CAST(round(addresses_probed) AS UBIGINT) AS addresses_probed,
    1e6 * addresses / nullif(addresses_probed, 0) AS per_million,
    CASE WHEN share < 1 THEN 1e6 * wilson_low(addresses, addresses_probed) END AS per_million_low,
    CASE WHEN share < 1 THEN 1e6 * wilson_high(addresses, addresses_probed) END AS per_million_high,
    services / share AS services_estimated,
    addresses / share AS addresses_estimated,
    CASE WHEN share < 1 THEN whole * wilson_low(addresses, addresses_probed) END AS addresses_low,
    CASE WHEN share < 1 THEN whole * wilson_high(addresses, addresses_probed) END AS addresses_high
FROM joined
