-- Question: How many services answered in each country in each sweep?
-- Grain: one row for each (sweep, country) with a service; series as in `trend`.
-- Order: started_at, services DESC, country
-- Notes: in a series, a country is where the database of its newest sweep places the address (`placements`), so a new build makes no
--   step. moved_in counts the services that the sweep's own database placed elsewhere. `countries` has the sweep's own placing.
WITH placed AS (
    SELECT
        exposed.*,
        series.series,
        series.position,
        CASE WHEN series.series IS NULL THEN exposed.country ELSE placements.country END AS placed_in
    FROM exposed_addresses AS exposed
    LEFT JOIN series ON series.sweep = exposed.sweep
    LEFT JOIN placements ON placements.series = series.series AND placements.ip = exposed.ip
)

SELECT
    placed.sweep,
    sweeps.started_at,
    placed.series,
    placed.position,
    placed.placed_in AS country,
    CAST(sum(placed.services) AS BIGINT) AS services,
    count(*) AS addresses,
    CAST(sum(placed.accepting) AS BIGINT) AS accepting,
    CAST(coalesce(sum(placed.services) FILTER (placed.placed_in IS DISTINCT FROM placed.country), 0) AS BIGINT) AS moved_in,
    CAST(sum(placed.decoys) AS BIGINT) AS decoys
FROM placed
JOIN sweeps ON sweeps.sweep = placed.sweep
GROUP BY placed.sweep, sweeps.started_at, placed.series, placed.position, placed.placed_in
