-- Question: On how many addresses with a DICOM service is each companion port open?
-- Grain: one row for each (sweep, port) with a companion SYN.
-- Order: port
-- Notes: one SYN without data, minutes after the DICOM visit, never repeated. An address where none left is in no count. open means
--   that something listens, not what. share is not corrected for loss: silent hides the SYNs that were lost, and ICMP messages that
--   a port is unreachable.
WITH services AS (
    SELECT DISTINCT sweep, ip
    FROM exposed_2026_11
)

SELECT
    companions.sweep,
    companions.port,
    port_use(companions.port) AS port_use,
    companion_kind(companions.port) AS companion,
    count(*) AS companions_probed,
    count(*) FILTER (companions.answer = 'open') AS companions_open,
    count(*) FILTER (companions.answer = 'closed') AS companions_closed,
    count(*) FILTER (companions.answer = 'silent') AS companions_silent,
    companions_open / count(*) AS share,
    wilson_low(companions_open, count(*)) AS share_low,
    wilson_high(companions_open, count(*)) AS share_high
FROM companions
JOIN services ON services.sweep = companions.sweep AND services.ip = companions.ip
WHERE companions.answer IS NOT NULL
GROUP BY companions.sweep, companions.port
