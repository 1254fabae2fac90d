-- Question: Which systems of each sweep stayed at their address, moved or are new, how many ended, and how sure is that?
-- Grain: one row for each sweep of a series, from its second one on.
-- Order: position
-- Notes: without likely decoys. systems is the sum of the next five; the others are those of `system_endings`, about systems of two sweeps
--   ago. Links are those of `system_links`; how often they err, `link_errors` says. ended_low and ended_high take both errors out.
WITH seen AS (
    SELECT now.series, now.position, now.sweep, now.ip, links.linked_by, before.sweep AS before
    FROM system_sightings AS now
    JOIN series AS before ON before.series = now.series AND before.position = now.position - 1
    LEFT JOIN system_links AS links ON links.sweep = now.sweep AND links.ip = now.ip
    WHERE NOT now.decoy_address
),

counted AS (
    SELECT
        seen.sweep,
        count(*) AS systems,
        count(*) FILTER (linked_by = 'address') AS systems_stayed,
        count(*) FILTER (linked_by = 'key') AS systems_moved_key,
        count(*) FILTER (linked_by = 'identity') AS systems_moved_identity,
        count(*) FILTER (linked_by IS NULL AND was_asked) AS systems_new,
        count(*) FILTER (linked_by IS NULL AND NOT was_asked) AS systems_entered
    FROM (
        SELECT seen.*, coalesce(seen.ip <= space.last, false) AND NOT coalesce(seen.ip <= withheld.last, false) AS was_asked
        FROM seen
        ASOF LEFT JOIN space ON space.sweep = seen.before AND seen.ip >= space.first
        ASOF LEFT JOIN withheld ON withheld.sweep = seen.before AND seen.ip >= withheld.first
    ) AS seen
    GROUP BY seen.sweep
)

SELECT
    series.sweep,
    series.series,
    series.position,
    series.previous,
    series.days,
    coalesce(counted.systems, 0) AS systems,
    coalesce(counted.systems_stayed, 0) AS systems_stayed,
    coalesce(counted.systems_moved_key, 0) AS systems_moved_key,
    coalesce(counted.systems_moved_identity, 0) AS systems_moved_identity,
    coalesce(counted.systems_new, 0) AS systems_new,
    coalesce(counted.systems_entered, 0) AS systems_entered,
    endings.* EXCLUDE (sweep)
FROM series
LEFT JOIN counted ON counted.sweep = series.sweep
LEFT JOIN system_endings AS endings ON endings.sweep = series.sweep
WHERE series.position > 1
