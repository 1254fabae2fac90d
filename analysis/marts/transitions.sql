-- Question: How did each service change from one sweep of its series to the next?
-- Grain: one row for each (sweep, ip, port, transition); an absent service has a row for each absence that counts.
-- Notes: definition of November 2026. stayed: seen in the previous sweep too; new: in no earlier one; returned: in an
--   earlier one, not in the previous; entered: not seen in the previous, whose space lacked it. Of those not seen now,
--   missing: seen in the previous; gone: seen two sweeps ago, in neither since; left: seen in the previous, outside
--   this sweep's space; withheld: seen in the previous, opted out or quarantined in this one. A service that was withheld in the
--   previous sweep has entered. country is that of `placements`. Holds addresses: never publish its rows.
WITH present AS (
    SELECT
        sightings.sweep, sightings.ip, sightings.port, sightings.country, series.previous AS compared,
        CASE
            WHEN sightings.before = sightings.position - 1 THEN 'stayed'
            WHEN sightings.before IS NULL THEN 'new'
            ELSE 'returned'
        END AS transition
    FROM sightings
    JOIN series ON series.sweep = sightings.sweep
    WHERE sightings.position > 1
),

absent AS (
    SELECT
        later.sweep, sightings.ip, sightings.port, sightings.country, later.sweep AS compared,
        CASE later.position - sightings.position WHEN 1 THEN 'missing' ELSE 'gone' END AS transition
    FROM sightings
    JOIN series AS later
        ON later.series = sightings.series
        AND later.position > sightings.position
        AND later.position <= sightings.position + 2
        AND later.position < coalesce(sightings.after, 4294967295)
),

placed AS (
    SELECT
        services.*,
        coalesce(services.ip <= space.last, false) AS inside,
        coalesce(services.ip <= withheld.last, false) AS withheld
    FROM (SELECT * FROM present UNION ALL SELECT * FROM absent) AS services
    ASOF LEFT JOIN space ON space.sweep = services.compared AND services.ip >= space.first
    ASOF LEFT JOIN withheld ON withheld.sweep = services.compared AND services.ip >= withheld.first
)

SELECT
    sweep, ip, dotted(ip) AS address, port, country,
    CASE
        WHEN transition = 'stayed' OR (inside AND NOT withheld) THEN transition
        WHEN transition IN ('new', 'returned') THEN 'entered'
        WHEN inside THEN 'withheld'
        ELSE 'left'
    END AS transition
FROM placed
WHERE transition <> 'gone' OR (inside AND NOT withheld)
