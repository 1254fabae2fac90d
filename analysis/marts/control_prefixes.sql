-- Question: Which prefixes answer everything, as their answers on the control port tell?
-- Grain: one row for each (sweep, /24) in which at least two addresses answered on the control port.
-- Notes: holds prefixes: never publish rows of it. Only a share of the addresses was asked on that port. controls: addresses
--   that answered on it; responsive, services: its targets that answered a SYN of the plan, and those that speak DICOM.
WITH walls AS (
    SELECT sweep, ip >> 8 AS prefix, count(*) AS controls
    FROM controls
    GROUP BY sweep, ip >> 8
    HAVING count(*) >= 2
)

SELECT
    walls.sweep,
    dotted(prefix << 8) || '/24' AS block,
    walls.controls,
    count(responses.ip) AS responsive,
    count(*) FILTER (speaks_dicom(responses.outcome)) AS services
FROM walls
LEFT JOIN responses ON responses.sweep = walls.sweep AND responses.ip >> 8 = walls.prefix
GROUP BY walls.sweep, walls.prefix, walls.controls
