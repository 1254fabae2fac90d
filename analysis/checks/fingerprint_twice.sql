-- Question: Does fingerprints have a target more than once?
-- Grain: one row for each (sweep, ip, port) that is repeated.
-- Notes: a repeated one would be counted twice by every mart that names products.
SELECT sweep, ip, port, count(*) AS copies
FROM fingerprints
GROUP BY sweep, ip, port
HAVING count(*) > 1
