-- Question: What does each service on ranges of one's own show to a stranger?
-- Grain: one row for each (sweep, ip, port) that answered our SYN.
-- Notes: dicom is the definition of exposed_2026_11. accepted_roles and offered are what profile `capabilities` was accepted for;
--   encrypted means that TLS was completed. Where a target was visited twice, the later handshake is told.
--   Holds addresses and strings that peers chose: for the owner of the ranges alone.
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

shaken AS (
    SELECT * FROM tls
    QUALIFY row_number() OVER (PARTITION BY sweep, ip, port ORDER BY round DESC) = 1
)

SELECT
    answers.sweep,
    answers.ip,
    answers.address,
    answers.port,
    coalesce(said.outcome, shaken.outcome, answers.outcome) AS outcome,
    exposed.ip IS NOT NULL AS dicom,
    coalesce(exposed.accepts, false) AS accepts,
    coalesce(shaken.handshake = 'completed', false) AS encrypted,
    shaken.handshake,
    shaken.version AS tls_version,
    shaken.cipher,
    shaken.client_certificate,
    shaken.valid_at_visit,
    shaken.certificate.not_after AS not_after,
    shaken.certificate.self_signed AS self_signed,
    said.rj_result,
    said.rj_source,
    said.rj_reason,
    said.echo_status,
    coalesce(accepted.roles, []) AS accepted_roles,
    coalesce(accepted.offered, []) AS offered,
    list_sort(list_distinct(list_transform(
        list_filter(coalesce(said.contexts, []), lambda each: each.result = 0), lambda each: each.transfer_syntax
    ))) AS transfer_syntaxes,
    judged.product,
    judged.product_version,
    judged.toolkit,
    judged.toolkit_version,
    said.implementation_class_uid,
    said.implementation_version_name,
    coalesce(judged.behaviour_rules, []) AS behaviour_rules,
    coalesce(judged.mismatch, []) AS mismatch,
    coalesce(judged.suspicions, []) AS suspicions,
    answers.answered_at
FROM responses AS answers
LEFT JOIN associations AS said
    ON said.sweep = answers.sweep AND said.ip = answers.ip AND said.port = answers.port
LEFT JOIN exposed_2026_11 AS exposed
    ON exposed.sweep = answers.sweep AND exposed.ip = answers.ip AND exposed.port = answers.port
LEFT JOIN shaken ON shaken.sweep = answers.sweep AND shaken.ip = answers.ip AND shaken.port = answers.port
LEFT JOIN accepted ON accepted.sweep = answers.sweep AND accepted.ip = answers.ip AND accepted.port = answers.port
LEFT JOIN fingerprints AS judged
    ON judged.sweep = answers.sweep AND judged.ip = answers.ip AND judged.port = answers.port
