-- Question: At how many addresses with a DICOM service is a web or HL7 port open as well?
-- Grain: one row for each (sweep, country) with an address that got a companion SYN.
-- Order: companions_probed DESC, country
-- Notes: companion_kind says which ports are of the web and of HL7. An address with both is counted in both columns, and one where
--   only another companion port is open in neither. The shares are of companions_probed, not corrected for loss.
WITH services AS (
    SELECT sweep, ip, any_value(country) AS country
    FROM exposed_2026_11
    GROUP BY sweep, ip
),

probed AS (
    SELECT
        sweep,
        ip,
        bool_or(answer = 'open') AS any_open,
        bool_or(answer = 'open' AND companion_kind(port) = 'web') AS web,
        bool_or(answer = 'open' AND companion_kind(port) = 'hl7') AS hl7
    FROM companions
    WHERE answer IS NOT NULL
    GROUP BY sweep, ip
)

SELECT
    probed.sweep,
    services.country,
    count(*) AS companions_probed,
    count(*) FILTER (probed.web) AS web,
    count(*) FILTER (probed.hl7) AS hl7,
    count(*) FILTER (NOT probed.any_open) AS none_open,
    count(*) FILTER (probed.web) / count(*) AS web_share,
    count(*) FILTER (probed.hl7) / count(*) AS hl7_share
FROM probed
JOIN services ON services.sweep = probed.sweep AND services.ip = probed.ip
GROUP BY probed.sweep, services.country
