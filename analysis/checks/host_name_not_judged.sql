-- Question: Is a confirmed host name not what its row says, or does an address stand twice?
-- Grain: one row for each (sweep, ip) that is wrong.
-- Notes: names stand where naming is confirmed, and nowhere else; a sweep that was not resolved has no row, which is no fault.
SELECT sweep, ip
FROM host_names
GROUP BY sweep, ip
HAVING count(*) > 1 OR bool_or((naming = 'confirmed') <> (len(names) > 0)) OR bool_or(naming = 'no_name' AND len(unconfirmed) > 0)
