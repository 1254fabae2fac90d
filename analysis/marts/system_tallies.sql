-- Question: How many systems of each sweep stayed, moved or are new, and what became of how many that were seen two sweeps ago?
-- Grain: one row for each sweep of a series, from its second one on.
-- Notes: without likely decoys. Of `system_fates`: systems_before, links_by_identity, systems_ended and ended_without_key. Of
--   `systems_followed`: systems_followed were seen two sweeps ago or later, and are still probed; steps_ended of them were not recognised
--   after it, steps_without_key of these showed no certificate key, and steps_linked were recognised by identity next.
WITH fates AS MATERIALIZED (SELECT * FROM system_fates),

followed AS MATERIALIZED (SELECT * FROM systems_followed),

seen AS (
    SELECT now.sweep, now.ip, links.linked_by, series.previous
    FROM series
    JOIN system_sightings AS now ON now.sweep = series.sweep
    LEFT JOIN system_links AS links ON links.sweep = now.sweep AND links.ip = now.ip
    WHERE series.position > 1 AND NOT now.decoy_address
),

moves AS (
    SELECT
        sweep, count(*) AS systems,
        count(*) FILTER (linked_by = 'address') AS systems_stayed,
        count(*) FILTER (linked_by = 'key') AS systems_moved_key,
        count(*) FILTER (linked_by = 'identity') AS systems_moved_identity,
        count(*) FILTER (linked_by IS NULL AND was_asked) AS systems_new,
        count(*) FILTER (linked_by IS NULL AND NOT was_asked) AS systems_entered
    FROM (
        SELECT seen.*, coalesce(seen.ip <= space.last, false) AND NOT coalesce(seen.ip <= withheld.last, false) AS was_asked
        FROM seen
        ASOF LEFT JOIN space ON space.sweep = seen.previous AND seen.ip >= space.first
        ASOF LEFT JOIN withheld ON withheld.sweep = seen.previous AND seen.ip >= withheld.first
    )
    GROUP BY sweep
),

ends AS (
    SELECT
        sweep, count(*) FILTER (NOT outside) AS systems_before,
        count(*) FILTER (linked_by = 'identity') AS links_by_identity,
        count(*) FILTER (has_ended) AS systems_ended, count(*) FILTER (has_ended AND key IS NULL) AS ended_without_key
    FROM fates
    GROUP BY sweep
),

stretches AS (
    SELECT sweep, has_ended, key, linked_by
    FROM followed
    WHERE NOT outside
    UNION ALL
    SELECT series.sweep, false, NULL, NULL
    FROM series
    JOIN followed AS missed ON missed.sweep = series.previous AND missed.sweeps_later = 2
),

steps AS (
    SELECT
        sweep, count(*) AS systems_followed,
        count(*) FILTER (has_ended) AS steps_ended, count(*) FILTER (has_ended AND key IS NULL) AS steps_without_key,
        count(*) FILTER (linked_by = 'identity') AS steps_linked
    FROM stretches
    GROUP BY sweep
)

SELECT
    series.sweep, coalesce(moves.systems, 0) AS systems,
    coalesce(moves.systems_stayed, 0) AS systems_stayed,
    coalesce(moves.systems_moved_key, 0) AS systems_moved_key,
    coalesce(moves.systems_moved_identity, 0) AS systems_moved_identity,
    coalesce(moves.systems_new, 0) AS systems_new, coalesce(moves.systems_entered, 0) AS systems_entered,
    ends.* EXCLUDE (sweep),
    steps.* EXCLUDE (sweep)
FROM series
LEFT JOIN moves ON moves.sweep = series.sweep
LEFT JOIN ends ON ends.sweep = series.sweep
LEFT JOIN steps ON steps.sweep = series.sweep
WHERE series.position > 1
