-- Question: How many hosts that had answered no longer did when they were checked, after a visit and without one?
-- Grain: one row for each (sweep, arm): visited, unvisited, speaker.
-- Order: sweep, arm
-- Notes: docs/harm.md. visited and unvisited: drawn by address, and checked by two SYNs at the same time, before the unvisited are
--   visited; all count as drawn, whatever became of the visit. speaker: spoke DICOM at an undelayed visit. A host is the port that
--   answered first. Ranges that were cut off are left out of both arms, as are sweeps of earlier versions, which checked each arm
--   in another way. blocking: answered another source address; null where none was checked from there. Counts of several sweeps of one series add up.
WITH drawn AS (
    SELECT
        harm.sweep,
        harm.arm,
        harm.ip,
        harm.port,
        harm.answered_at,
        harm.alive_elsewhere,
        CASE WHEN harm.arm = 'unvisited' THEN harm.alive_before ELSE harm.alive_after END AS answered,
        harm.arm = 'speaker' OR bool_and(coalesce(harm.attempt = 1, false)) OVER of_range AS whole
    FROM harm
    LEFT JOIN held ON held.sweep = harm.sweep AND held.ip = harm.ip AND held.port = harm.port
    WINDOW of_range AS (PARTITION BY harm.sweep, held.shard, held.range)
),

hosts AS (
    SELECT sweep, arm, answered, alive_elsewhere, whole
    FROM drawn
    QUALIFY row_number() OVER (PARTITION BY sweep, ip ORDER BY answered_at, port) = 1
)

SELECT
    sweep,
    arm,
    count(*) AS alive,
    count(*) FILTER (NOT answered) AS ended,
    CASE WHEN count(alive_elsewhere) > 0 THEN count(*) FILTER (NOT answered AND alive_elsewhere) END AS blocking
FROM hosts
WHERE whole AND answered IS NOT NULL
GROUP BY sweep, arm
