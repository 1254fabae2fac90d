-- Question: Does responses have a target more than once?
-- Grain: one row for each (sweep, ip, port) that is repeated.
-- Notes: the first answer is kept; a second row is a fault of the writer.
SELECT sweep, ip, port, count(*) AS copies
FROM responses
GROUP BY sweep, ip, port
HAVING count(*) > 1
