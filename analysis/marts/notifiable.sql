-- Question: Of which services could their country's CERT or their owner be informed, and how severe is what each lets a stranger do?
-- Grain: one row for each (sweep, ip, port) that is exposed, or ended a TLS handshake for lack of a client certificate.
-- Notes: definition of November 2026. severity: high where a stranger is let in, medium where one is rejected or aborted, info where
--   TLS demands a client certificate. tag says the same for parsers. decoy is is_decoy. Texts are the peers' own. Holds addresses:
--   never publish its rows.
WITH handshakes AS (
    SELECT
        sweep,
        ip,
        port,
        bool_or(handshake = 'completed') AS encrypted,
        bool_or(handshake = 'needs_client_certificate' OR client_certificate = 'required') AS demanded
    FROM tls
    GROUP BY sweep, ip, port
),

exposed AS (
    SELECT sweep, ip, port, outcome, accepts
    FROM exposed_2026_11
),

informed AS (
    SELECT
        coalesce(exposed.sweep, handshakes.sweep) AS sweep,
        coalesce(exposed.ip, handshakes.ip) AS ip,
        coalesce(exposed.port, handshakes.port) AS port,
        CASE
            WHEN exposed.accepts THEN 'high'
            WHEN exposed.ip IS NOT NULL THEN 'medium'
            ELSE 'info'
        END AS severity,
        CASE
            WHEN exposed.accepts THEN 'any-ae'
            WHEN exposed.ip IS NOT NULL THEN exposed.outcome
            ELSE 'client-certificate'
        END AS seen,
        coalesce(handshakes.encrypted, false) AS encrypted
    FROM exposed
    FULL JOIN handshakes ON handshakes.sweep = exposed.sweep AND handshakes.ip = exposed.ip AND handshakes.port = exposed.port
    WHERE exposed.ip IS NOT NULL OR handshakes.demanded
)

SELECT
    informed.sweep,
    informed.ip,
    answers.address,
    informed.port,
    informed.severity,
    concat('dicom;', informed.seen, CASE WHEN informed.encrypted OR informed.severity = 'info' THEN ';tls' ELSE '' END) AS tag,
    answers.answered_at,
    answers.country,
    answers.asn,
    answers.organisation,
    names.names[1] AS host_name,
    CASE WHEN owners.sector NOT IN ('unknown', '') THEN owners.sector END AS sector,
    judged.vendor,
    judged.product,
    judged.product_version,
    judged.toolkit,
    judged.toolkit_version,
    association.raw_length AS response_size,
    is_decoy(judged.suspicions) AS decoy
FROM informed
JOIN responses AS answers ON answers.sweep = informed.sweep AND answers.ip = informed.ip AND answers.port = informed.port
LEFT JOIN associations AS association
    ON association.sweep = informed.sweep AND association.ip = informed.ip AND association.port = informed.port
LEFT JOIN fingerprints AS judged ON judged.sweep = informed.sweep AND judged.ip = informed.ip AND judged.port = informed.port
LEFT JOIN owners ON owners.sweep = informed.sweep AND owners.ip = informed.ip
LEFT JOIN host_names AS names ON names.sweep = informed.sweep AND names.ip = informed.ip
