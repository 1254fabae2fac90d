-- Question: What does a focus sweep say of the whole space, and what came and went in its panel?
-- Grain: the one row of $sweep, if it is a focus sweep.
-- Notes: begun_with counts the whole sweeps that it began with. The columns of change are null for the first sweep of a panel.
SELECT
    estimated.* EXCLUDE (sweep, of_all, country),
    len(sweeps.focus) AS begun_with,
    sweeps.addresses AS probed,
    sweeps.focus_addresses AS space,
    changes.* EXCLUDE (sweep, previous),
    earlier.started_at AS earlier
FROM focus_totals AS estimated
JOIN sweeps ON sweeps.sweep = estimated.sweep
LEFT JOIN focus_changes AS changes ON changes.sweep = estimated.sweep
LEFT JOIN sweeps AS earlier ON earlier.sweep = changes.previous
WHERE estimated.sweep = $sweep AND estimated.of_all
