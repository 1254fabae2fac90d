-- Question: In what kinds of network do exposed services answer, and among how many addresses?
-- Grain: one row for each (sweep, country, network_kind, confidence) of the target space.
-- Order: services DESC, addresses_probed DESC, country, network_kind, confidence
-- Notes: by the holder's name alone (data/reference/owners.toml); `sectors` tells of owners, by host names and certificates too.
--   addresses_probed is the kind's part of the target space in the country times the sampled share. Empty where no network
--   database was named.
WITH found AS (
    SELECT
        exposed.sweep,
        exposed.country,
        coalesce(owned.network_kind, 'unknown') AS network_kind,
        owned.network_confidence AS confidence,
        count(*) AS services,
        count(DISTINCT exposed.ip) AS addresses,
        count(DISTINCT exposed.asn) AS networks,
        count(*) FILTER (exposed.accepts) AS accepting
    FROM exposed_2026_11 AS exposed
    SEMI JOIN network_coverage AS named ON named.sweep = exposed.sweep
    LEFT JOIN network_coverage AS owned
        ON owned.sweep = exposed.sweep
        AND owned.country IS NOT DISTINCT FROM exposed.country
        AND owned.asn IS NOT DISTINCT FROM exposed.asn
        AND owned.organisation IS NOT DISTINCT FROM exposed.organisation
    GROUP BY ALL
),

space AS (
    SELECT
        covered.sweep,
        covered.country,
        covered.network_kind,
        covered.network_confidence AS confidence,
        count(DISTINCT covered.asn) AS networks_probed,
        sum(covered.addresses) * any_value(sweeps.sampled_share) AS addresses_probed,
        any_value(sweeps.sampled_share) AS share
    FROM network_coverage AS covered
    LEFT JOIN sweeps ON sweeps.sweep = covered.sweep
    GROUP BY ALL
)

SELECT
    coalesce(space.sweep, found.sweep) AS sweep,
    coalesce(space.country, found.country) AS country,
    coalesce(space.network_kind, found.network_kind) AS network_kind,
    coalesce(space.confidence, found.confidence) AS confidence,
    coalesce(found.services, 0) AS services,
    coalesce(found.addresses, 0) AS addresses,
    coalesce(found.networks, 0) AS networks,
    coalesce(found.accepting, 0) AS accepting,
    coalesce(space.networks_probed, 0) AS networks_probed,
    CAST(round(coalesce(space.addresses_probed, 0)) AS UBIGINT) AS addresses_probed,
    1e6 * coalesce(found.addresses, 0) / nullif(space.addresses_probed, 0) AS per_million,
    coalesce(found.services, 0) / space.share AS services_estimated
FROM space
FULL JOIN found
    ON found.sweep = space.sweep
    AND found.country IS NOT DISTINCT FROM space.country
    AND found.network_kind = space.network_kind
    AND found.confidence IS NOT DISTINCT FROM space.confidence
