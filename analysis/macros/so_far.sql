-- Question: Which sweeps does a report on a series cover?
-- Grain: a table of (sweep): the sweeps of its series up to it, and itself.
-- Notes: a sweep that is comparable with no other is in no series, so its report covers it alone.
CREATE OR REPLACE MACRO so_far(sweep_id) AS TABLE
    SELECT earlier.sweep
    FROM series AS now
    JOIN series AS earlier ON earlier.series = now.series AND earlier.position <= now.position
    WHERE now.sweep = sweep_id
    UNION
    SELECT sweep_id
