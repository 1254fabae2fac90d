-- Question: In which sectors are the owners of exposed services, and how certain is that?
-- Grain: one row for each (sweep, country, sector, confidence).
-- Order: services DESC, country, sector, confidence
-- Notes: by the rules of data/reference/owners.toml; the name of an access or hosting network shows who carries the address, rarely
--   who owns the service. networks counts distinct autonomous systems. Publish the unknown share too.
SELECT
    exposed.sweep,
    exposed.country,
    coalesce(owners.sector, 'unknown') AS sector,
    owners.confidence,
    count(*) AS services,
    count(DISTINCT exposed.ip) AS addresses,
    count(DISTINCT exposed.asn) AS networks,
    count(*) FILTER (exposed.accepts) AS accepting,
    count(*) / any_value(sweeps.sampled_share) AS services_estimated
FROM exposed_2026_11 AS exposed
LEFT JOIN owners ON owners.sweep = exposed.sweep AND owners.ip = exposed.ip
LEFT JOIN sweeps ON sweeps.sweep = exposed.sweep
GROUP BY exposed.sweep, exposed.country, coalesce(owners.sector, 'unknown'), owners.confidence
