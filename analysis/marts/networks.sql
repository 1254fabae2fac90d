-- Question: How many services answer in each network?
-- Grain: one row for each (sweep, country, asn); null is an address whose network is not known.
-- Notes: a network of one hospital names it: never publish rows of it; `sectors` is what is published of networks.
SELECT
    exposed.sweep,
    exposed.country,
    exposed.asn,
    any_value(exposed.organisation) AS organisation,
    count(*) AS services,
    count(DISTINCT exposed.ip) AS addresses,
    count(*) FILTER (exposed.accepts) AS accepting
FROM exposed_2026_11 AS exposed
GROUP BY exposed.sweep, exposed.country, exposed.asn
