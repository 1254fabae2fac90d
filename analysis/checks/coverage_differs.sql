-- Question: Do the countries' denominators fail to add up to the target space?
-- Grain: one row for each sweep that is wrong.
-- Notes: a sweep without coverage is not enriched yet, which is not a fault.
SELECT sweeps.sweep, sweeps.addresses AS space, CAST(sum(coverage.addresses) AS UBIGINT) AS placed
FROM sweeps
JOIN coverage ON coverage.sweep = sweeps.sweep
GROUP BY sweeps.sweep, sweeps.addresses
HAVING sum(coverage.addresses) <> sweeps.addresses
