-- Question: Which services did each sweep of a series see, which did it no longer see, and how long were they away?
-- Grain: one row for each (sweep, ip, port, transition); an absent service has a row for each absence that counts.
-- Notes: what `transitions` and `sightings` are made of, without a country that a newer database might change. transition as in
--   `transitions`, or first in the first sweep. away: sweeps since the last sighting, one if it was the previous sweep; null if there was
--   none. outside_space and was_withheld: so was the service in the sweep that did not see it. country_then and network
--   are those of the sweep's own databases; null unless seen. Holds addresses: never publish its rows.
WITH seen AS (
    SELECT
        now.sweep, now.ip, now.port, now.country AS country_then, network_of(now.asn, now.ip) AS network,
        series.series, series.position, series.previous, earlier.ip IS NOT NULL AS stayed
    FROM exposed_2026_11 AS now
    JOIN series ON series.sweep = now.sweep
    LEFT JOIN exposed_2026_11 AS earlier
        ON earlier.sweep = series.previous AND earlier.ip = now.ip AND earlier.port = now.port
),

last_seen AS (
    SELECT seen.sweep, seen.ip, seen.port, max(earlier.position) AS position
    FROM seen
    JOIN services_seen AS earlier
        ON earlier.series = seen.series AND earlier.ip = seen.ip AND earlier.port = seen.port AND earlier.position < seen.position
    WHERE NOT seen.stayed AND seen.previous IS NOT NULL
    GROUP BY seen.sweep, seen.ip, seen.port
),

turned AS (
    SELECT seen.* EXCLUDE (series, position, stayed), true AS was_seen, seen.position - last_seen.position AS away
    FROM seen
    LEFT JOIN last_seen ON last_seen.sweep = seen.sweep AND last_seen.ip = seen.ip AND last_seen.port = seen.port
    WHERE NOT seen.stayed AND seen.previous IS NOT NULL
    UNION ALL
    SELECT later.sweep, before.ip, before.port, NULL, NULL, later.sweep, false, later.away
    FROM exposed_2026_11 AS before
    JOIN (
        SELECT sweep, previous AS earlier, 1 AS away, NULL AS skipped FROM series
        UNION ALL
        SELECT sweep, before_previous, 2, previous FROM series
    ) AS later ON later.earlier = before.sweep
    ANTI JOIN exposed_2026_11 AS now ON now.sweep = later.sweep AND now.ip = before.ip AND now.port = before.port
    ANTI JOIN exposed_2026_11 AS middle ON middle.sweep = later.skipped AND middle.ip = before.ip AND middle.port = before.port
),

judged AS (
    SELECT
        turned.*,
        NOT coalesce(turned.ip <= space.last, false) AS outside_space,
        coalesce(turned.ip <= withheld.last, false) AS was_withheld
    FROM turned
    ASOF LEFT JOIN space ON space.sweep = turned.previous AND turned.ip >= space.first
    ASOF LEFT JOIN withheld ON withheld.sweep = turned.previous AND turned.ip >= withheld.first
)

SELECT
    sweep, ip, dotted(ip) AS address, port, country_then, network, was_seen, away, outside_space, was_withheld,
    CASE
        WHEN was_seen AND (outside_space OR was_withheld) THEN 'entered'
        WHEN was_seen THEN CASE WHEN away IS NULL THEN 'new' ELSE 'returned' END
        WHEN outside_space THEN 'left'
        WHEN was_withheld THEN 'withheld'
        ELSE CASE WHEN away = 1 THEN 'missing' ELSE 'gone' END
    END AS transition
FROM judged
WHERE was_seen OR away = 1 OR NOT (outside_space OR was_withheld)
UNION ALL
SELECT
    sweep, ip, dotted(ip), port, country_then, network, true, CASE WHEN stayed THEN 1 END, false, false,
    CASE WHEN stayed THEN 'stayed' ELSE 'first' END
FROM seen
WHERE stayed OR previous IS NULL
