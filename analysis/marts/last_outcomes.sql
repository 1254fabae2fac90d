-- Question: What is known of each target that answered, after all visits to it?
-- Grain: one row for each (sweep, ip, port) that answered our SYN.
-- Notes: outcome is that of the association if there is one: a second visit through TLS may reach a service behind a port that reset
--   the first. Holds addresses: never publish its rows.
SELECT
    responses.sweep,
    responses.ip,
    dotted(responses.ip) AS address,
    responses.port,
    responses.country,
    coalesce(associations.outcome, responses.outcome) AS outcome
FROM responses
LEFT JOIN associations
    ON associations.sweep = responses.sweep
    AND associations.ip = responses.ip
    AND associations.port = responses.port
