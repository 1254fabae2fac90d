-- Question: Which targets began a reply like DICOM, and what did they say?
-- Grain: one row for each (sweep, ip, port).
-- Notes: holds addresses, and strings that peers chose: never publish rows of it.
--   What counts as exposed is a mart of its own.
SELECT
    facts.sweep,
    concat_ws('.', facts.ip >> 24, (facts.ip >> 16) & 255, (facts.ip >> 8) & 255, facts.ip & 255) AS address,
    facts.* EXCLUDE (sweep),
    places.country,
    places.asn,
    places.organisation
FROM raw_associations AS facts
LEFT JOIN raw_locations AS places ON places.sweep = facts.sweep AND places.ip = facts.ip
