-- Question: Which targets answered our SYN, and what happened then?
-- Grain: one row for each (sweep, ip, port).
-- Notes: holds addresses: never publish its rows. Where `census reparse` has parsed the reply again, outcome is the new one; a
--   second visit through TLS changes no response.
WITH judged_again AS (
    SELECT again.sweep, again.ip, again.port, again.outcome, facts.outcome AS outcome_before
    FROM raw_reparsed AS again
    INNER JOIN raw_associations AS facts
        ON facts.sweep = again.sweep
        AND facts.ip = again.ip
        AND facts.port = again.port
)

SELECT
    facts.sweep,
    dotted(facts.ip) AS address,
    facts.* EXCLUDE (sweep) REPLACE (coalesce(again.outcome, facts.outcome) AS outcome),
    places.country,
    places.asn,
    places.organisation
FROM raw_responses AS facts
LEFT JOIN judged_again AS again
    ON again.sweep = facts.sweep
    AND again.ip = facts.ip
    AND again.port = facts.port
    AND again.outcome_before = facts.outcome
LEFT JOIN raw_locations AS places ON places.sweep = facts.sweep AND places.ip = facts.ip
