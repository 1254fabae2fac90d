-- Question: Which services has a sweep found, with what microdata may show of each?
-- Grain: one row for each exposed service of $sweep.
-- Notes: product is the declared product, or else its toolkit. network_kind and its confidence are those of mart network_kinds, sector and
--   its confidence those of mart sectors. Holds addresses: never publish its rows; `pipeline.release.microdata` decides what may pass.
SELECT
    exposed.ip,
    exposed.port AS at_port,
    exposed.country,
    coalesce(owners.sector, 'unknown') AS sector,
    owners.confidence AS sector_confidence,
    coalesce(owned.network_kind, 'unknown') AS network_kind,
    owned.network_confidence,
    coalesce(judged.product, judged.toolkit, 'unknown') AS product,
    CAST(exposed.port AS VARCHAR) AS port,
    CASE WHEN exposed.accepts THEN 'accepted' ELSE exposed.outcome END AS answer,
    is_decoy(judged.suspicions) AS decoy
FROM exposed_2026_11 AS exposed
LEFT JOIN fingerprints AS judged
    ON judged.sweep = exposed.sweep AND judged.ip = exposed.ip AND judged.port = exposed.port
LEFT JOIN owners ON owners.sweep = exposed.sweep AND owners.ip = exposed.ip
LEFT JOIN network_coverage AS owned
    ON owned.sweep = exposed.sweep
    AND owned.country IS NOT DISTINCT FROM exposed.country
    AND owned.asn IS NOT DISTINCT FROM exposed.asn
    AND owned.organisation IS NOT DISTINCT FROM exposed.organisation
WHERE exposed.sweep = $sweep
