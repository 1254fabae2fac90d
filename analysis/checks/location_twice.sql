-- Question: Does locations have an address more than once?
-- Grain: one row for each (sweep, ip) that is repeated.
-- Notes: a repeated one would count its services twice.
SELECT sweep, ip, count(*) AS copies
FROM locations
GROUP BY sweep, ip
HAVING count(*) > 1
