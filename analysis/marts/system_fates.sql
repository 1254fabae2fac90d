-- Question: What became of each system of a sweep in the two sweeps after it?
-- Grain: one row for each sighting of `system_sightings` that is not a likely decoy_address, with two later sweeps of its series.
-- Notes: linked_by says how it was recognised again, later_position and later_ip where; null: it was not. outside: it was not, and its address left the target space, opted out
--   or was quarantined in one of the two, so that it did not end. has_ended: neither. Holds addresses: never publish its rows.
WITH followed AS (
    SELECT seen.*, links.linked_by, links.position AS later_position, links.ip AS later_ip
    FROM system_sightings AS seen
    JOIN series AS later ON later.series = seen.series AND later.position = seen.position + 2
    LEFT JOIN system_links AS links
        ON links.series = seen.series AND links.earlier_position = seen.position AND links.earlier_ip = seen.ip
    WHERE NOT seen.decoy_address
),

asked AS (
    SELECT followed.series, followed.position, followed.ip, later.sweep
    FROM followed
    JOIN series AS later
        ON later.series = followed.series AND later.position - followed.position IN (1, 2)
    WHERE followed.linked_by IS NULL
),

outside AS (
    SELECT DISTINCT asked.series, asked.position, asked.ip
    FROM asked
    ASOF LEFT JOIN space ON space.sweep = asked.sweep AND asked.ip >= space.first
    ASOF LEFT JOIN withheld ON withheld.sweep = asked.sweep AND asked.ip >= withheld.first
    WHERE NOT coalesce(asked.ip <= space.last, false) OR coalesce(asked.ip <= withheld.last, false)
)

SELECT
    followed.*,
    outside.ip IS NOT NULL AS outside,
    followed.linked_by IS NULL AND outside.ip IS NULL AS has_ended
FROM followed
LEFT JOIN outside
    ON outside.series = followed.series AND outside.position = followed.position AND outside.ip = followed.ip
