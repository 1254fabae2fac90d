-- Question: Which bytes did targets send that are not DICOM?
-- Grain: one row for each (sweep, banner).
-- Notes: the first 256 bytes of a reply; `responses.banner` is the key.
SELECT sweep, * EXCLUDE (sweep)
FROM raw_banners
