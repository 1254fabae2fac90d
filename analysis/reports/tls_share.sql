-- Question: Which share of the exposed services of each country speaks DICOM inside TLS, and who demands a certificate?
-- Grain: the rows of $sweep.
-- Notes: the most services first.
SELECT * EXCLUDE (sweep)
FROM tls_share
WHERE sweep = $sweep
ORDER BY services DESC, country
