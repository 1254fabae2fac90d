-- Question: Does an enriched sweep have a response whose address was never looked up?
-- Grain: one row for each (sweep, ip) that is wrong.
-- Notes: a sweep without any location is not enriched yet, which is not a fault.
SELECT DISTINCT responses.sweep, responses.ip
FROM responses
SEMI JOIN locations AS any_location ON any_location.sweep = responses.sweep
ANTI JOIN locations ON locations.sweep = responses.sweep AND locations.ip = responses.ip
