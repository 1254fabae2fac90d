-- Question: Does a sweep have an association without a fingerprint, or a fingerprint without an association?
-- Grain: one row for each (sweep, ip, port) that is wrong.
-- Notes: a sweep without any fingerprint is not enriched yet, or by an older program, which is not a fault.
SELECT
    coalesce(associations.sweep, fingerprints.sweep) AS sweep,
    coalesce(associations.ip, fingerprints.ip) AS ip,
    coalesce(associations.port, fingerprints.port) AS port
FROM associations
FULL JOIN fingerprints
    ON fingerprints.sweep = associations.sweep
    AND fingerprints.ip = associations.ip
    AND fingerprints.port = associations.port
WHERE (associations.sweep IS NULL OR fingerprints.sweep IS NULL)
    AND coalesce(associations.sweep, fingerprints.sweep) IN (SELECT any_fingerprint.sweep FROM fingerprints AS any_fingerprint)
