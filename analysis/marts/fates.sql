-- Question: What became of each service from one sweep of its series to the next?
-- Grain: one row for each (sweep, ip, port, fate); a service that is absent has a row for each absence that is told.
-- Notes: definition of November 2026. stayed: seen in the previous sweep too; new: in no earlier one; returned: in an
--   earlier one, not in the previous; entered: not seen in the previous, whose space lacked it. Of those not seen now,
--   missing: seen in the previous; gone: seen two sweeps ago, in neither since; left: seen in the previous, outside of
--   this sweep's space. country is that of the last sighting. Holds addresses: never publish rows of it.
WITH present AS (
    SELECT
        sightings.sweep, sightings.ip, sightings.port, sightings.country, series.previous AS asked,
        CASE
            WHEN sightings.before = sightings.position - 1 THEN 'stayed'
            WHEN sightings.before IS NULL THEN 'new'
            ELSE 'returned'
        END AS fate
    FROM sightings
    JOIN series ON series.sweep = sightings.sweep
    WHERE sightings.position > 1
),

absent AS (
    SELECT
        later.sweep, sightings.ip, sightings.port, sightings.country, later.sweep AS asked,
        CASE later.position - sightings.position WHEN 1 THEN 'missing' ELSE 'gone' END AS fate
    FROM sightings
    JOIN series AS later
        ON later.series = sightings.series
        AND later.position > sightings.position
        AND later.position <= sightings.position + 2
        AND later.position < coalesce(sightings.after, 4294967295)
),

looked AS (
    SELECT told.*, told.fate = 'stayed' OR coalesce(told.ip <= space.last, false) AS inside
    FROM (SELECT * FROM present UNION ALL SELECT * FROM absent) AS told
    ASOF LEFT JOIN space ON space.sweep = told.asked AND told.ip >= space.first
)

SELECT
    sweep, ip, port, country,
    CASE WHEN inside THEN fate WHEN fate IN ('new', 'returned') THEN 'entered' ELSE 'left' END AS fate
FROM looked
WHERE inside OR fate <> 'gone'
