-- Question: Which targets began a reply like DICOM, and what did the reply contain?
-- Grain: one row for each (sweep, ip, port).
-- Notes: holds addresses, and strings that peers chose: never publish its rows. Where `census reparse` has parsed the bytes again,
--   the row has the new result. What counts as exposed is defined in a mart.
WITH judged AS (
    SELECT facts.*
    FROM raw_associations AS facts
    ANTI JOIN raw_reparsed AS again
        ON again.sweep = facts.sweep
        AND again.ip = facts.ip
        AND again.port = facts.port
    UNION ALL BY NAME
    SELECT
        facts.* EXCLUDE (
        outcome, grade, protocol_version, called_ae_echoed, calling_ae_echoed, called_ae_raw, calling_ae_raw,
        application_context, contexts, contexts_in_order, max_pdu, implementation_class_uid,
        implementation_version_name, async_invoked, async_performed, roles, extended_negotiation,
        user_identity_response, item_order, unknown_items, rj_result, rj_source, rj_reason, abort_source,
        abort_reason, echo_status, echo_elements, released, pdu_types, parser_version, parse_warnings
        ),
        again.* EXCLUDE (sweep, ip, port)
    FROM raw_associations AS facts
    INNER JOIN raw_reparsed AS again
        ON again.sweep = facts.sweep
        AND again.ip = facts.ip
        AND again.port = facts.port
)

SELECT
    facts.sweep,
    dotted(facts.ip) AS address,
    facts.* EXCLUDE (sweep),
    accepts(facts.outcome) AS accepts,
    places.country,
    places.asn,
    places.organisation
FROM judged AS facts
LEFT JOIN raw_locations AS places ON places.sweep = facts.sweep AND places.ip = facts.ip
