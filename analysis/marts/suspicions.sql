-- Question: How many answers does each suspicion mark in each country?
-- Grain: one row for each (sweep, suspicion, country) that occurred; null is what the database does not place.
-- Order: services DESC, suspicion, country
-- Notes: suspicions are explained in docs/fingerprints.md. An answer may raise several, so rows do not add up. services counts all
--   that began to answer like DICOM; exposed those of them that exposed_2026_11 counts, which omits none for its suspicions.
--   services_estimated is the count over the sampled share. tried and wrong are of the rule, not of these services.
WITH raised AS (
    SELECT
        sweep,
        ip,
        port,
        unnest(suspicions) AS suspicion,
        unnest(suspicions_tried) AS tried,
        unnest(suspicions_wrong) AS wrong
    FROM fingerprints
),

marked AS (
    SELECT
        raised.sweep,
        raised.suspicion,
        raised.ip,
        raised.tried,
        raised.wrong,
        associations.country,
        exposed.ip IS NOT NULL AS is_exposed
    FROM raised
    LEFT JOIN associations
        ON associations.sweep = raised.sweep AND associations.ip = raised.ip AND associations.port = raised.port
    LEFT JOIN exposed_2026_11 AS exposed
        ON exposed.sweep = raised.sweep AND exposed.ip = raised.ip AND exposed.port = raised.port
)

SELECT
    marked.sweep,
    marked.suspicion,
    marked.country,
    any_value(marked.tried) AS tried,
    any_value(marked.wrong) AS wrong,
    count(*) AS services,
    count(DISTINCT marked.ip) AS addresses,
    count(*) FILTER (marked.is_exposed) AS exposed,
    count(*) / any_value(sweeps.sampled_share) AS services_estimated
FROM marked
LEFT JOIN sweeps ON sweeps.sweep = marked.sweep
GROUP BY marked.sweep, marked.suspicion, marked.country
