-- Question: In what kinds of network do exposed services answer, and among how many addresses?
-- Grain: the rows of $sweep.
-- Notes: the most services first.
SELECT * EXCLUDE (sweep)
FROM network_kinds
WHERE sweep = $sweep
ORDER BY services DESC, addresses_probed DESC, country, network_kind, confidence
