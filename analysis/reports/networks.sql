-- Question: How many services answer in each network, and among how many addresses?
-- Grain: the rows of $sweep.
-- Notes: the most services first.
SELECT * EXCLUDE (sweep)
FROM networks
WHERE sweep = $sweep
ORDER BY services DESC, country, asn
