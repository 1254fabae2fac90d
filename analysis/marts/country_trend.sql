-- Question: How many services answered in each country in each sweep?
-- Grain: one row for each (sweep, country) with a service; series as in `trend`.
-- Order: started_at, services DESC, country
-- Notes: in a series, a country is where the database of its newest sweep places the address (`placements`), so a new build makes no
--   step. moved_in counts the services that the sweep's own database placed elsewhere. `countries` has the sweep's own placing.
WITH placed AS (
    SELECT sweep, ip, port, country, country_then
    FROM sightings
    UNION ALL
    SELECT exposed.sweep, exposed.ip, exposed.port, exposed.country, exposed.country
    FROM exposed_2026_11 AS exposed
    ANTI JOIN series ON series.sweep = exposed.sweep
)

SELECT
    placed.sweep,
    sweeps.started_at,
    series.series,
    series.position,
    placed.country,
    count(*) AS services,
    count(DISTINCT placed.ip) AS addresses,
    count(*) FILTER (exposed.accepts) AS accepting,
    count(*) FILTER (placed.country IS DISTINCT FROM placed.country_then) AS moved_in,
    count(*) FILTER (is_decoy(judged.suspicions)) AS decoys
FROM placed
JOIN exposed_2026_11 AS exposed
    ON exposed.sweep = placed.sweep AND exposed.ip = placed.ip AND exposed.port = placed.port
JOIN sweeps ON sweeps.sweep = placed.sweep
LEFT JOIN fingerprints AS judged
    ON judged.sweep = placed.sweep AND judged.ip = placed.ip AND judged.port = placed.port
LEFT JOIN series ON series.sweep = placed.sweep
GROUP BY placed.sweep, sweeps.started_at, series.series, series.position, placed.country
