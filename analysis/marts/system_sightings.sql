-- Question: Which systems does each sweep see, and by what can each be recognised at another address?
-- Grain: one row for each (sweep, ip) that is exposed: one address is one system.
-- Notes: key is the certificate key that this address alone showed in the sweep. likeness is a digest of all that its services declare and how
--   they answer, by port, and of its network and country then; identity is the same if no other address of the sweep has it, and null if
--   one has, or if nothing is declared. decoy_address: all its services are likely decoys. Holds addresses: never publish its rows.
WITH described AS (
    SELECT
        exposed.sweep,
        exposed.ip,
        any_value(exposed.country) AS country,
        any_value(network_of(exposed.asn, exposed.ip)) AS network,
        bool_and(coalesce(is_decoy(judged.suspicions), false)) AS decoy_address,
        bool_or(facts.implementation_class_uid IS NOT NULL AND NOT coalesce(judged.class_uid_reflected, false)) AS declares,
        string_agg(
            concat_ws(
                ' ', exposed.port, coalesce(md5(facts.implementation_class_uid), '-'), coalesce(md5(facts.implementation_version_name), '-'),
                exposed.outcome, coalesce(CAST(facts.rj_reason AS VARCHAR), '-'), coalesce(CAST(facts.max_pdu AS VARCHAR), '-'),
                coalesce(array_to_string(judged.behaviour_rules, '+'), '-')
            ),
            ', ' ORDER BY exposed.port
        ) AS configuration
    FROM exposed_2026_11 AS exposed
    JOIN associations AS facts
        ON facts.sweep = exposed.sweep AND facts.ip = exposed.ip AND facts.port = exposed.port
    LEFT JOIN fingerprints AS judged
        ON judged.sweep = exposed.sweep AND judged.ip = exposed.ip AND judged.port = exposed.port
    GROUP BY exposed.sweep, exposed.ip
),

keys AS (
    SELECT sweep, ip, min(certificate.spki_sha256) AS key
    FROM tls
    WHERE certificate.spki_sha256 IS NOT NULL
    GROUP BY sweep, ip
),

digested AS (
    SELECT *, md5_number_lower(concat_ws(', ', network, coalesce(country, '-'), configuration)) AS likeness
    FROM described
)

SELECT
    digested.sweep,
    digested.ip,
    dotted(digested.ip) AS address,
    digested.country,
    digested.network,
    digested.decoy_address,
    CASE WHEN count(*) OVER same_key = 1 THEN keys.key END AS key,
    digested.likeness,
    CASE WHEN digested.declares AND count(*) OVER alike = 1 THEN digested.likeness END AS identity
FROM digested
LEFT JOIN keys ON keys.sweep = digested.sweep AND keys.ip = digested.ip
WINDOW
    same_key AS (PARTITION BY digested.sweep, keys.key),
    alike AS (PARTITION BY digested.sweep, digested.likeness)
