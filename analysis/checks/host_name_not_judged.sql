-- Question: Does a row of host names contradict itself, or is an address there twice?
-- Grain: one row for each (sweep, ip) that is wrong.
-- Notes: names are present if naming is confirmed, and only then; a sweep that was not resolved has no row, which is not a fault.
SELECT sweep, ip
FROM host_names
GROUP BY sweep, ip
HAVING count(*) > 1 OR bool_or((naming = 'confirmed') <> (len(names) > 0)) OR bool_or(naming = 'no_name' AND len(unconfirmed) > 0)
