-- Question: Which targets answered our SYN, and what happened then?
-- Grain: one row for each (sweep, ip, port).
-- Notes: holds addresses: never publish its rows.
SELECT
    facts.sweep,
    dotted(facts.ip) AS address,
    facts.* EXCLUDE (sweep),
    places.country,
    places.asn,
    places.organisation
FROM raw_responses AS facts
LEFT JOIN raw_locations AS places ON places.sweep = facts.sweep AND places.ip = facts.ip
