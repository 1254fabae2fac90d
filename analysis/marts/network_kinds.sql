-- Question: In what kinds of network do exposed services answer, and among how many addresses probed?
-- Grain: one row for each (sweep, country, network_kind, confidence) of the target space.
-- Order: services DESC, addresses_probed DESC, country, network_kind, confidence
-- Notes: by the holder's name alone (data/reference/owners.toml); `sectors` is about owners, by host names and certificates too.
--   addresses_probed is the kind's part of the target space in the country times the sampled share. Empty if no network database
--   was named.
WITH counted AS (
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
        sum(covered.addresses) * coalesce(any_value(sweeps.sampled_share), 1) AS addresses_probed,
        any_value(sweeps.sampled_share) AS share
    FROM network_coverage AS covered
    LEFT JOIN sweeps ON sweeps.sweep = covered.sweep
    GROUP BY ALL
)

SELECT
    coalesce(space.sweep, counted.sweep) AS sweep,
    coalesce(space.country, counted.country) AS country,
    coalesce(space.network_kind, counted.network_kind) AS network_kind,
    coalesce(space.confidence, counted.confidence) AS confidence,
    coalesce(counted.services, 0) AS services,
    coalesce(counted.addresses, 0) AS addresses,
    coalesce(counted.networks, 0) AS networks,
    coalesce(counted.accepting, 0) AS accepting,
    coalesce(space.networks_probed, 0) AS networks_probed,
    CAST(round(coalesce(space.addresses_probed, 0)) AS UBIGINT) AS addresses_probed,
    CASE WHEN space.share IS NOT NULL THEN 1e6 * coalesce(counted.addresses, 0) / nullif(space.addresses_probed, 0) END AS per_million,
    coalesce(counted.services, 0) / space.share AS services_estimated
FROM space
FULL JOIN counted
    ON counted.sweep = space.sweep
    AND counted.country IS NOT DISTINCT FROM space.country
    AND counted.network_kind = space.network_kind
    AND counted.confidence IS NOT DISTINCT FROM space.confidence
