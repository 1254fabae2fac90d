-- Question: Which services that never entered or left the target space of their series did each sweep see, or no longer see?
-- Grain: one row for each such row of `service_steps` but those of transition gone.
-- Notes: what counts of survival are made of; position is that of the sweep in its series. Holds addresses: never publish its rows.
SELECT
    series.series,
    series.position,
    steps.sweep,
    steps.ip,
    dotted(steps.ip) AS address,
    steps.port,
    steps.was_seen,
    steps.away,
    steps.was_withheld
FROM service_steps AS steps
JOIN series ON series.sweep = steps.sweep
SEMI JOIN placements ON placements.series = series.series AND placements.ip = steps.ip
ANTI JOIN moved_services AS moved ON moved.series = series.series AND moved.ip = steps.ip AND moved.port = steps.port
WHERE steps.was_seen OR steps.away = 1
