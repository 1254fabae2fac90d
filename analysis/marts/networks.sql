-- Question: How many services answer in each network, and among how many addresses probed?
-- Grain: one row for each (sweep, country, asn); null is an address whose network is not known.
-- Order: services DESC, country, asn
-- Notes: the network of a single hospital identifies it: never publish these rows as they are. A report names a network only if it
--   carries or hosts others, is large, and has enough services (docs/decisions/0010-named-networks.md). addresses_in_plan is the
--   network's part of the target space in the country, addresses_probed the same times the sampled share; both are null if no
--   network database was named.
WITH space AS (
    SELECT
        sweep,
        country,
        asn,
        any_value(network_kind) AS network_kind,
        sum(addresses) AS addresses
    FROM network_coverage
    GROUP BY sweep, country, asn
)

SELECT
    exposed.sweep,
    exposed.country,
    exposed.asn,
    any_value(exposed.organisation) AS organisation,
    any_value(space.network_kind) AS network_kind,
    count(*) AS services,
    count(DISTINCT exposed.ip) AS addresses,
    count(*) FILTER (exposed.accepts) AS accepting,
    CAST(any_value(space.addresses) AS UBIGINT) AS addresses_in_plan,
    CAST(round(any_value(space.addresses) * coalesce(any_value(sweeps.sampled_share), 1)) AS UBIGINT) AS addresses_probed,
    1e6 * count(DISTINCT exposed.ip) / (any_value(space.addresses) * any_value(sweeps.sampled_share)) AS per_million,
    count(*) / any_value(sweeps.sampled_share) AS services_estimated
FROM exposed_2026_11 AS exposed
LEFT JOIN space
    ON space.sweep = exposed.sweep
    AND space.country IS NOT DISTINCT FROM exposed.country
    AND space.asn IS NOT DISTINCT FROM exposed.asn
LEFT JOIN sweeps ON sweeps.sweep = exposed.sweep
GROUP BY exposed.sweep, exposed.country, exposed.asn
