-- Question: Which targets answered our SYN, and what happened then?
-- Grain: one row for each (sweep, ip, port).
-- Notes: holds addresses: never publish rows of it.
SELECT
    facts.sweep,
    concat_ws('.', facts.ip >> 24, (facts.ip >> 16) & 255, (facts.ip >> 8) & 255, facts.ip & 255) AS address,
    facts.* EXCLUDE (sweep),
    places.country,
    places.asn,
    places.organisation
FROM raw_responses AS facts
LEFT JOIN raw_locations AS places ON places.sweep = facts.sweep AND places.ip = facts.ip
