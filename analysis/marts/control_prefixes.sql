-- Question: Which prefixes answer everything, judged by their answers on the control port?
-- Grain: one row for each (sweep, /24) in which at least two addresses answered on the control port.
-- Notes: holds prefixes: never publish its rows. Only a share of the addresses got a SYN on that port. controls: addresses that
--   answered on it; responsive, services: its targets that answered a SYN of the plan, and those that speak DICOM.
WITH answering AS (
    SELECT sweep, ip >> 8 AS prefix, count(*) AS controls
    FROM controls
    GROUP BY sweep, ip >> 8
    HAVING count(*) >= 2
)

SELECT
    answering.sweep,
    dotted(prefix << 8) || '/24' AS block,
    answering.controls,
    count(responses.ip) AS responsive,
    count(*) FILTER (speaks_dicom(responses.outcome)) AS services
FROM answering
LEFT JOIN responses ON responses.sweep = answering.sweep AND responses.ip >> 8 = answering.prefix
GROUP BY answering.sweep, answering.prefix, answering.controls
