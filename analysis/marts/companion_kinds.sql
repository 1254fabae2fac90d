-- Question: At how many addresses with a DICOM service is a web or HL7 port open as well?
-- Grain: one row for each (sweep, country, companion) with an address that got a companion SYN.
-- Order: services DESC, country, companion
-- Notes: each address is in one row: web, hl7, web and hl7, other (another companion port alone), or none. companion_kind says which
--   ports are which. companions_probed counts the country's addresses that got a companion SYN; share is addresses over it, not
--   corrected for loss. services counts the DICOM services at the addresses.
WITH services AS (
    SELECT sweep, ip, any_value(country) AS country, count(*) AS services
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
),

placed AS (
    SELECT
        probed.sweep,
        services.country,
        services.services,
        CASE
            WHEN probed.web AND probed.hl7 THEN 'web and hl7'
            WHEN probed.web THEN 'web'
            WHEN probed.hl7 THEN 'hl7'
            WHEN probed.any_open THEN 'other'
            ELSE 'none'
        END AS companion
    FROM probed
    JOIN services ON services.sweep = probed.sweep AND services.ip = probed.ip
)

SELECT
    sweep,
    country,
    companion,
    count(*) AS addresses,
    CAST(sum(services) AS BIGINT) AS services,
    CAST(sum(count(*)) OVER (PARTITION BY sweep, country) AS BIGINT) AS companions_probed,
    count(*) / companions_probed AS share,
    wilson_low(count(*), companions_probed) AS share_low,
    wilson_high(count(*), companions_probed) AS share_high
FROM placed
GROUP BY sweep, country, companion
