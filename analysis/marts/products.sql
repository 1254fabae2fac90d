-- Question: Which implementations do the exposed services say they are?
-- Grain: one row for each (sweep, implementation_class_uid, implementation_version_name) that was declared.
-- Notes: a claim of the peer, not a fact; honeypots claim things too. Both null: nothing declared, as in a rejection.
SELECT
    sweep,
    implementation_class_uid,
    implementation_version_name,
    count(*) AS services,
    count(DISTINCT ip) AS addresses,
    count(DISTINCT country) AS countries,
    count(*) FILTER (accepts) AS accepting
FROM exposed_2026_11
GROUP BY sweep, implementation_class_uid, implementation_version_name
