-- Question: Which services speak DICOM to anybody, by the definition of November 2026?
-- Grain: one row for each (sweep, ip, port).
-- Notes: exposed means an answer that only a DICOM upper layer gives: an A-ASSOCIATE-AC, whatever its AE titles, that is
--   not our own request; an A-ASSOCIATE-RJ or an A-ABORT. A rejection counts: the service is reachable and parses what unknown clients send.
--   Another definition gets another dated view next to this one. Holds addresses: never publish its rows.
SELECT
    sweep,
    ip,
    address,
    port,
    outcome,
    accepts(outcome) AS accepts,
    country,
    asn,
    organisation,
    implementation_class_uid,
    implementation_version_name,
    rj_result,
    rj_source,
    rj_reason
FROM associations
WHERE speaks_dicom(outcome)
