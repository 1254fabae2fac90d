-- Question: Which share of the exposed services of each country speaks DICOM inside TLS, and who demands a certificate?
-- Grain: one row for each (sweep, country) with an exposed service or a handshake.
-- Order: services DESC, country
-- Notes: over_tls are exposed services whose handshake was completed. handshakes counts services that were asked by TLS;
--   needs_certificate those of them that ended it for want of a client's certificate: they are not exposed.
WITH asked AS (
    SELECT
        sweep,
        ip,
        port,
        any_value(country) AS country,
        bool_or(handshake = 'completed') AS completed,
        bool_or(handshake = 'needs_client_certificate' OR client_certificate = 'required') AS demanded
    FROM tls
    GROUP BY sweep, ip, port
)

SELECT
    coalesce(exposed.sweep, asked.sweep) AS sweep,
    coalesce(exposed.country, asked.country) AS country,
    count(exposed.ip) AS services,
    count(*) FILTER (exposed.ip IS NOT NULL AND asked.completed) AS over_tls,
    over_tls / nullif(count(exposed.ip), 0) AS share,
    count(asked.ip) AS handshakes,
    count(*) FILTER (asked.completed) AS completed,
    count(*) FILTER (asked.demanded) AS needs_certificate
FROM exposed_2026_11 AS exposed
FULL JOIN asked ON asked.sweep = exposed.sweep AND asked.ip = exposed.ip AND asked.port = exposed.port
GROUP BY coalesce(exposed.sweep, asked.sweep), coalesce(exposed.country, asked.country)
