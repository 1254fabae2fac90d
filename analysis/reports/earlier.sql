-- Question: Which earlier sweeps is this one comparable with?
-- Grain: one row for each earlier sweep of the series of $sweep.
-- Notes: the oldest first.
SELECT earlier.sweep, earlier.started_at
FROM series AS now
JOIN series AS earlier ON earlier.series = now.series AND earlier.position < now.position
WHERE now.sweep = $sweep
ORDER BY earlier.position
