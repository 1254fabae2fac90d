-- Question: What of the table of sectors follows from its counts?
-- Grain: as the table.
-- Notes: the count over the sampled share.
SELECT sectors.* REPLACE (sectors.services / about.sampled_share AS services_estimated)
FROM sectors
JOIN sweeps AS about ON about.sweep = sectors.sweep
