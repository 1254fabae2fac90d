-- Question: How many services answer in each country, network, sector, port, product and version?
-- Grain: one row for each combination that occurred in a sweep.
-- Notes: a cube: sum over the columns that do not matter. addresses do not add up over ports. Small cells and the holders of
--   networks identify owners: never publish its rows.
SELECT
    exposed.sweep,
    exposed.country,
    exposed.asn,
    exposed.organisation,
    coalesce(owners.sector, 'unknown') AS sector,
    exposed.port,
    judged.toolkit,
    judged.toolkit_version,
    judged.product,
    judged.product_version,
    count(*) AS services,
    count(DISTINCT exposed.ip) AS addresses,
    count(*) FILTER (exposed.accepts) AS accepting,
    count(*) / any_value(sweeps.sampled_share) AS services_estimated
FROM exposed_2026_11 AS exposed
LEFT JOIN fingerprints AS judged
    ON judged.sweep = exposed.sweep AND judged.ip = exposed.ip AND judged.port = exposed.port
LEFT JOIN owners ON owners.sweep = exposed.sweep AND owners.ip = exposed.ip
LEFT JOIN sweeps ON sweeps.sweep = exposed.sweep
GROUP BY ALL
