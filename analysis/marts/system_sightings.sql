-- Question: Which systems does each sweep of a series see, and by what can each be recognised at another address?
-- Grain: one row for each (sweep, ip) that is exposed in a sweep of a series: one address is one system.
-- Notes: key is the certificate key that this address alone showed in the sweep. likeness is a hash of all that its services declare and how
--   they answer, by port, and of its network and country; identity is the same if no other address of the sweep has it, and null if
--   one has, or if nothing is declared. decoy_address: all its services are likely decoys. Holds addresses: never publish its rows.
WITH described AS (
    SELECT
        sightings.series,
        sightings.position,
        sightings.sweep,
        sightings.ip,
        any_value(sightings.country) AS country,
        any_value(sightings.network) AS network,
        bool_and(coalesce(is_decoy(judged.suspicions), false)) AS decoy_address,
        bool_or(facts.implementation_class_uid IS NOT NULL AND NOT coalesce(judged.class_uid_reflected, false)) AS declares,
        hash(list(
            [
                CAST(sightings.port AS VARCHAR), facts.implementation_class_uid, facts.implementation_version_name, facts.outcome,
                CAST(facts.rj_reason AS VARCHAR), CAST(facts.max_pdu AS VARCHAR), CAST(judged.behaviour_rules AS VARCHAR)
            ]
            ORDER BY sightings.port
        )) AS configuration
    FROM sightings
    JOIN associations AS facts
        ON facts.sweep = sightings.sweep AND facts.ip = sightings.ip AND facts.port = sightings.port
    LEFT JOIN fingerprints AS judged
        ON judged.sweep = sightings.sweep AND judged.ip = sightings.ip AND judged.port = sightings.port
    GROUP BY sightings.series, sightings.position, sightings.sweep, sightings.ip
),

keys AS (
    SELECT sweep, ip, min(certificate.spki_sha256) AS key
    FROM tls
    WHERE certificate.spki_sha256 IS NOT NULL
    GROUP BY sweep, ip
)

SELECT
    described.series,
    described.position,
    described.sweep,
    described.ip,
    dotted(described.ip) AS address,
    described.country,
    described.network,
    described.decoy_address,
    CASE WHEN count(*) OVER same_key = 1 THEN keys.key END AS key,
    hash(described.network, described.country, described.configuration) AS likeness,
    CASE WHEN described.declares AND count(*) OVER alike = 1 THEN likeness END AS identity
FROM described
LEFT JOIN keys ON keys.sweep = described.sweep AND keys.ip = described.ip
WINDOW
    same_key AS (PARTITION BY described.sweep, keys.key),
    alike AS (PARTITION BY described.sweep, described.network, described.country, described.configuration)
