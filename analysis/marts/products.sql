-- Question: Which implementations do the exposed services claim to be?
-- Grain: one row for each (sweep, implementation_class_uid, implementation_version_name) that was declared.
-- Order: services DESC, implementation_version_name, implementation_class_uid
-- Notes: services_estimated is the count over the sampled share. A declaration is a claim of the peer, not a fact; honeypots make
--   claims too. Both null: nothing was declared, as in a rejection. toolkit to grade are what the rules make of the claim
--   (docs/fingerprints.md); evidenced is false if they rest on files or on nothing. A peer that returns our own identity declares none.
SELECT
    exposed.sweep,
    CASE
        WHEN NOT coalesce(judged.class_uid_reflected OR list_contains(judged.suspicions, 'own-class-uid'), false)
            THEN exposed.implementation_class_uid
    END AS implementation_class_uid,
    CASE
        WHEN NOT coalesce(judged.version_name_reflected OR list_contains(judged.suspicions, 'own-version-name'), false)
            THEN exposed.implementation_version_name
    END AS implementation_version_name,
    judged.toolkit,
    judged.toolkit_version,
    judged.product,
    judged.product_version,
    judged.vendor,
    judged.kind,
    judged.grade,
    coalesce(judged.grade IN ('L', 'C', 'W'), false) AS evidenced,
    any_value(judged.identity_tried) AS tried,
    any_value(judged.identity_wrong) AS wrong,
    count(*) AS services,
    count(DISTINCT exposed.ip) AS addresses,
    count(DISTINCT exposed.country) AS countries,
    count(*) FILTER (exposed.accepts) AS accepting,
    count(*) FILTER (len(judged.mismatch) > 0) AS mismatched,
    count(*) FILTER (len(judged.suspicions) > 0) AS suspected,
    count(*) / any_value(sweeps.sampled_share) AS services_estimated
FROM exposed_2026_11 AS exposed
LEFT JOIN fingerprints AS judged
    ON judged.sweep = exposed.sweep AND judged.ip = exposed.ip AND judged.port = exposed.port
LEFT JOIN sweeps ON sweeps.sweep = exposed.sweep
GROUP BY ALL
