-- Question: What of the table of other ports follows from its counts?
-- Grain: as the table.
-- Notes: Wilson's interval.
SELECT companion_ports.* REPLACE (
    companions_open / nullif(companions_probed, 0) AS share,
    wilson_low(companions_open, companions_probed) AS share_low,
    wilson_high(companions_open, companions_probed) AS share_high
)
FROM companion_ports
