-- Question: How did each service change from one sweep of its series to the next?
-- Grain: one row for each (sweep, ip, port, transition); an absent service has a row for each absence that counts.
-- Notes: definition of November 2026. stayed: seen in the previous sweep too; new: in no earlier one; returned: in an
--   earlier one, not in the previous; entered: not seen in the previous, whose space lacked it. Of those not seen now,
--   missing: seen in the previous; gone: seen two sweeps ago, in neither since; left: seen in the previous, outside
--   this sweep's space; withheld: seen in the previous, opted out or quarantined in this one. A service that was withheld in the
--   previous sweep has entered. country is that of `placements`. Holds addresses: never publish its rows.
SELECT steps.sweep, steps.ip, dotted(steps.ip) AS address, steps.port, placements.country, steps.transition
FROM service_steps AS steps
JOIN series ON series.sweep = steps.sweep
JOIN placements ON placements.series = series.series AND placements.ip = steps.ip
WHERE steps.transition <> 'first'
