-- Question: Does a target stand in associations more than once?
-- Grain: one row for each (sweep, ip, port) that is repeated.
-- Notes: the first answer stands; a row more is a fault of the writer.
SELECT sweep, ip, port, count(*) AS copies
FROM associations
GROUP BY sweep, ip, port
HAVING count(*) > 1
