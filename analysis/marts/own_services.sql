-- Question: What does each service in signed ranges show to an unknown client?
-- Grain: one row for each (sweep, ip, port) that answered our SYN.
-- Notes: dicom is the definition of exposed_2026_11. accepted_roles and offered are what the service accepted under profile
--   `capabilities`; encrypted means that TLS was completed. If a target was visited twice, the later handshake is shown.
--   Holds addresses and strings that peers chose: for the owner of the ranges only.
WITH accepted AS (
    SELECT
        sweep,
        ip,
        port,
        list(DISTINCT role ORDER BY role) AS roles,
        list(name ORDER BY context_id) AS offered
    FROM capabilities
    WHERE accepted
    GROUP BY ALL
),

handshakes AS (
    SELECT * FROM tls
    QUALIFY row_number() OVER (PARTITION BY sweep, ip, port ORDER BY round DESC) = 1
)

SELECT
    answers.sweep,
    answers.ip,
    answers.address,
    answers.port,
    coalesce(association.outcome, handshakes.outcome, answers.outcome) AS outcome,
    exposed.ip IS NOT NULL AS dicom,
    coalesce(exposed.accepts, false) AS accepts,
    coalesce(handshakes.handshake = 'completed', false) AS encrypted,
    handshakes.handshake,
    handshakes.version AS tls_version,
    handshakes.cipher,
    handshakes.client_certificate,
    handshakes.valid_at_visit,
    handshakes.certificate.not_after AS not_after,
    handshakes.certificate.self_signed AS self_signed,
    association.rj_result,
    association.rj_source,
    association.rj_reason,
    association.echo_status,
    coalesce(accepted.roles, []) AS accepted_roles,
    coalesce(accepted.offered, []) AS offered,
    list_sort(list_distinct(list_transform(
        list_filter(coalesce(association.contexts, []), lambda context: context.result = 0), lambda context: context.transfer_syntax
    ))) AS transfer_syntaxes,
    judged.product,
    judged.product_version,
    judged.toolkit,
    judged.toolkit_version,
    CASE WHEN NOT coalesce(judged.class_uid_reflected, false) THEN association.implementation_class_uid END
        AS implementation_class_uid,
    CASE WHEN NOT coalesce(judged.version_name_reflected, false) THEN association.implementation_version_name END
        AS implementation_version_name,
    coalesce(judged.behaviour_rules, []) AS behaviour_rules,
    coalesce(judged.mismatch, []) AS mismatch,
    coalesce(judged.suspicions, []) AS suspicions,
    answers.answered_at
FROM responses AS answers
LEFT JOIN associations AS association
    ON association.sweep = answers.sweep AND association.ip = answers.ip AND association.port = answers.port
LEFT JOIN exposed_2026_11 AS exposed
    ON exposed.sweep = answers.sweep AND exposed.ip = answers.ip AND exposed.port = answers.port
LEFT JOIN handshakes ON handshakes.sweep = answers.sweep AND handshakes.ip = answers.ip AND handshakes.port = answers.port
LEFT JOIN accepted ON accepted.sweep = answers.sweep AND accepted.ip = answers.ip AND accepted.port = answers.port
LEFT JOIN fingerprints AS judged
    ON judged.sweep = answers.sweep AND judged.ip = answers.ip AND judged.port = answers.port
