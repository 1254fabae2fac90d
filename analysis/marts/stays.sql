-- Question: What became of each service that stayed since the previous sweep of its series?
-- Grain: one row for each (sweep, ip, port) that is exposed in both.
-- Notes: the facts that `stayers` counts; country_then is where the sweep's own database placed it. Holds addresses: never publish its rows.
SELECT
    series.sweep,
    later.ip,
    later.address,
    later.port,
    later.country AS country_then,
    later.accepts AND NOT earlier.accepts AS has_opened,
    earlier.accepts AND NOT later.accepts AS has_closed,
    coalesce(
        later.implementation_class_uid = earlier.implementation_class_uid
        AND later.implementation_version_name <> earlier.implementation_version_name, false
    ) AS has_renewed,
    coalesce(later.implementation_class_uid <> earlier.implementation_class_uid, false) AS was_replaced,
    coalesce(tls_then.handshake <> 'completed' AND tls_now.handshake = 'completed', false) AS adopted_tls
FROM series
JOIN exposed_2026_11 AS later ON later.sweep = series.sweep
JOIN exposed_2026_11 AS earlier ON earlier.sweep = series.previous AND earlier.ip = later.ip AND earlier.port = later.port
LEFT JOIN tls AS tls_now
    ON tls_now.sweep = series.sweep AND tls_now.ip = later.ip AND tls_now.port = later.port AND tls_now.round = 2
LEFT JOIN tls AS tls_then
    ON tls_then.sweep = series.previous AND tls_then.ip = later.ip AND tls_then.port = later.port AND tls_then.round = 2
