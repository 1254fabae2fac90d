-- Question: Which implementations do the exposed services say they are?
-- Grain: one row for each (sweep, implementation_class_uid, implementation_version_name) that was declared.
-- Notes: services_estimated is the count over the sampled share. What is declared is a claim of the peer, not
--   a fact; honeypots claim things too. Both null: nothing declared, as in a rejection.
SELECT
    exposed.sweep,
    exposed.implementation_class_uid,
    exposed.implementation_version_name,
    count(*) AS services,
    count(DISTINCT exposed.ip) AS addresses,
    count(DISTINCT exposed.country) AS countries,
    count(*) FILTER (exposed.accepts) AS accepting,
    count(*) / any_value(sweeps.sampled_share) AS services_estimated
FROM exposed_2026_11 AS exposed
LEFT JOIN sweeps ON sweeps.sweep = exposed.sweep
GROUP BY exposed.sweep, exposed.implementation_class_uid, exposed.implementation_version_name
