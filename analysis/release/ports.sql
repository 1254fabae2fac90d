-- Question: What of the table of ports follows from its counts?
-- Grain: as the table.
-- Notes: the count over the sampled share.
SELECT ports.* REPLACE (ports.services / about.sampled_share AS services_estimated)
FROM ports
JOIN sweeps AS about ON about.sweep = ports.sweep
