-- Question: What became of each system that was seen two sweeps ago?
-- Grain: one row for each (sweep, ip): a sweep of a series from its third one on, and a sighting two sweeps earlier.
-- Notes: a sighting of `system_sightings` that is not a likely decoy. linked_by says how it was recognised again, later_sweep and
--   later_ip where, sweeps_later after how many sweeps; null: it was not.
--   outside: it was not, and its address left the target space, opted out or was quarantined in one of the two, so that it did not end.
--   has_ended: neither. Holds addresses: never publish its rows.
WITH followed AS (
    SELECT
        series.sweep,
        seen.sweep AS seen_sweep,
        seen.ip,
        seen.address,
        seen.key,
        links.linked_by,
        links.sweeps_between AS sweeps_later,
        links.sweep AS later_sweep,
        links.ip AS later_ip
    FROM series
    JOIN system_sightings AS seen ON seen.sweep = series.before_previous
    LEFT JOIN system_links AS links ON links.earlier_sweep = seen.sweep AND links.earlier_ip = seen.ip
    WHERE NOT seen.decoy_address
),

asked AS (
    SELECT followed.sweep, followed.ip, unnest([series.previous, series.sweep]) AS asked_in
    FROM followed
    JOIN series ON series.sweep = followed.sweep
    WHERE followed.linked_by IS NULL
),

outside AS (
    SELECT DISTINCT asked.sweep, asked.ip
    FROM asked
    ASOF LEFT JOIN space ON space.sweep = asked.asked_in AND asked.ip >= space.first
    ASOF LEFT JOIN withheld ON withheld.sweep = asked.asked_in AND asked.ip >= withheld.first
    WHERE NOT coalesce(asked.ip <= space.last, false) OR coalesce(asked.ip <= withheld.last, false)
)

SELECT
    followed.*,
    outside.ip IS NOT NULL AS outside,
    followed.linked_by IS NULL AND outside.ip IS NULL AS has_ended
FROM followed
LEFT JOIN outside ON outside.sweep = followed.sweep AND outside.ip = followed.ip
