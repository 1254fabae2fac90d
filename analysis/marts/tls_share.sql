-- Question: What share of the exposed services of each country speaks DICOM inside TLS, and how many require a client certificate?
-- Grain: one row for each (sweep, country) with an exposed service or a handshake.
-- Order: services DESC, country
-- Notes: over_tls are exposed services whose handshake was completed. handshakes counts services with which TLS was attempted;
--   needs_certificate those of them that ended it because we have no client certificate: they are not exposed. share is null
--   in a sweep that attempted TLS with nobody; its interval is Wilson's, 95 %.
WITH attempted AS (
    SELECT
        sweep,
        ip,
        port,
        any_value(country) AS country,
        bool_or(handshake = 'completed') AS completed,
        bool_or(handshake = 'needs_client_certificate' OR client_certificate = 'required') AS demanded
    FROM tls
    GROUP BY sweep, ip, port
),

asked AS (
    SELECT attempted.sweep FROM attempted
    UNION
    SELECT sweeps.sweep FROM sweeps WHERE sweeps.profile = 'tls'
),

counted AS (
    SELECT
        coalesce(exposed.sweep, attempted.sweep) AS sweep,
        coalesce(exposed.country, attempted.country) AS country,
        count(exposed.ip) AS services,
        count(*) FILTER (exposed.ip IS NOT NULL AND attempted.completed) AS over_tls,
        count(attempted.ip) AS handshakes,
        count(*) FILTER (attempted.completed) AS completed,
        count(*) FILTER (attempted.demanded) AS needs_certificate
    FROM exposed_2026_11 AS exposed
    FULL JOIN attempted ON attempted.sweep = exposed.sweep AND attempted.ip = exposed.ip AND attempted.port = exposed.port
    GROUP BY coalesce(exposed.sweep, attempted.sweep), coalesce(exposed.country, attempted.country)
)

SELECT
    counted.sweep,
    counted.country,
    counted.services,
    counted.over_tls,
    CASE WHEN asked.sweep IS NOT NULL THEN counted.over_tls / nullif(counted.services, 0) END AS share,
    CASE WHEN asked.sweep IS NOT NULL THEN wilson_low(counted.over_tls, counted.services) END AS share_low,
    CASE WHEN asked.sweep IS NOT NULL THEN wilson_high(counted.over_tls, counted.services) END AS share_high,
    counted.handshakes,
    counted.completed,
    counted.needs_certificate
FROM counted
LEFT JOIN asked ON asked.sweep = counted.sweep
