-- Question: What of the table of kinds of other ports follows from its counts?
-- Grain: as the table.
-- Notes: shares of the addresses that got a companion SYN.
SELECT companion_kinds.* REPLACE (
    web / nullif(companions_probed, 0) AS web_share,
    hl7 / nullif(companions_probed, 0) AS hl7_share
)
FROM companion_kinds
