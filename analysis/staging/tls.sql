-- Question: With which targets was a TLS handshake attempted, how did it end, and what did they show?
-- Grain: one row for each (sweep, ip, port, round).
-- Notes: holds addresses, and strings that peers chose: never publish its rows. `certificate` is the leaf; the association that went
--   through TLS is in `associations`.
SELECT
    facts.sweep,
    dotted(facts.ip) AS address,
    facts.* EXCLUDE (sweep),
    facts.chain[1] AS certificate,
    places.country,
    places.asn,
    places.organisation
FROM raw_tls AS facts
LEFT JOIN raw_locations AS places ON places.sweep = facts.sweep AND places.ip = facts.ip
