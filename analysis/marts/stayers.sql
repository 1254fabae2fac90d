-- Question: What became of the services that stayed: were they opened, closed or changed?
-- Grain: one row for each (sweep, country) of a series, from its second sweep on, with a service that stayed, and one of_all together.
-- Order: of_all DESC, stayed DESC, country
-- Notes: stayed: seen at the same address and port in both, so neither churn nor loss is in these counts; an address may have changed hands.
--   opened and closed: it accepts unknown clients now, or accepted them then, and not in the other sweep. renewed: the same class UID
--   with another version name; replaced: another class UID. tls_adopted: a handshake was completed now and had failed then.
WITH pairs AS (
    SELECT
        series.sweep,
        coalesce(placements.country, later.country) AS country,
        earlier.accepts AS accepted,
        later.accepts AS accepts,
        earlier.implementation_class_uid AS uid_then,
        later.implementation_class_uid AS uid_now,
        earlier.implementation_version_name AS version_then,
        later.implementation_version_name AS version_now,
        coalesce(tls_then.handshake <> 'completed' AND tls_now.handshake = 'completed', false) AS adopted
    FROM series
    JOIN exposed_2026_11 AS later ON later.sweep = series.sweep
    JOIN exposed_2026_11 AS earlier ON earlier.sweep = series.previous AND earlier.ip = later.ip AND earlier.port = later.port
    LEFT JOIN placements ON placements.series = series.series AND placements.ip = later.ip
    LEFT JOIN tls AS tls_now
        ON tls_now.sweep = series.sweep AND tls_now.ip = later.ip AND tls_now.port = later.port AND tls_now.round = 2
    LEFT JOIN tls AS tls_then
        ON tls_then.sweep = series.previous AND tls_then.ip = later.ip AND tls_then.port = later.port AND tls_then.round = 2
),

lines AS (
    SELECT false AS of_all, * FROM pairs
    UNION ALL BY NAME
    SELECT true AS of_all, NULL AS country, * EXCLUDE (country) FROM pairs
)

SELECT
    sweep,
    of_all,
    country,
    count(*) AS stayed,
    count(*) FILTER (accepts AND NOT accepted) AS opened,
    count(*) FILTER (accepted AND NOT accepts) AS closed,
    count(*) FILTER (uid_now = uid_then AND version_now <> version_then) AS renewed,
    count(*) FILTER (uid_now <> uid_then) AS replaced,
    count(*) FILTER (adopted) AS tls_adopted
FROM lines
GROUP BY sweep, of_all, country
