-- Question: Which toolkits and products do the exposed services run, as far as rules know what they declare?
-- Grain: one row for each (sweep, toolkit to class_uid_hash); root and hash only of a class UID that no rule knows.
-- Order: services DESC, toolkit, toolkit_version, product, product_version, class_uid_root, class_uid_hash
-- Notes: holds no string that a peer chose. A toolkit is not a product: one is inside many. Orthanc declares itself as DCMTK.
--   All null: nothing was declared, as in a rejection. evidenced is false if the rules rest on files or on nothing; mismatched
--   services behave unlike what they declare; suspected ones are included.
WITH named AS (
    SELECT
        exposed.*,
        judged.* EXCLUDE (sweep, address, ip, port, class_uid_root, class_uid_hash),
        judged.identity_rule IS NULL AND NOT list_contains(judged.suspicions, 'own-class-uid') AS is_unknown,
        CASE WHEN is_unknown THEN judged.class_uid_root END AS class_uid_root,
        CASE WHEN is_unknown THEN judged.class_uid_hash END AS class_uid_hash
    FROM exposed_2026_11 AS exposed
    LEFT JOIN fingerprints AS judged
        ON judged.sweep = exposed.sweep AND judged.ip = exposed.ip AND judged.port = exposed.port
)

SELECT
    named.sweep,
    named.toolkit,
    named.toolkit_version,
    named.product,
    named.product_version,
    named.vendor,
    named.kind,
    named.grade,
    coalesce(named.grade IN ('L', 'C', 'W'), false) AS evidenced,
    any_value(named.identity_tried) AS tried,
    any_value(named.identity_wrong) AS wrong,
    named.class_uid_root,
    named.class_uid_hash,
    count(*) AS services,
    count(DISTINCT named.ip) AS addresses,
    count(DISTINCT named.country) AS countries,
    count(*) FILTER (named.accepts) AS accepting,
    count(*) FILTER (len(named.mismatch) > 0) AS mismatched,
    count(*) FILTER (len(named.suspicions) > 0) AS suspected,
    count(*) / any_value(sweeps.sampled_share) AS services_estimated
FROM named
LEFT JOIN sweeps ON sweeps.sweep = named.sweep
GROUP BY ALL
