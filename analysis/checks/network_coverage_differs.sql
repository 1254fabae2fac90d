-- Question: Do the networks' denominators fail to add up to the target space?
-- Grain: one row for each sweep that is wrong.
-- Notes: a sweep without network_coverage has no network database, or is not enriched, which is not a fault.
SELECT sweeps.sweep, sweeps.addresses AS space, CAST(sum(network_coverage.addresses) AS UBIGINT) AS announced
FROM sweeps
JOIN network_coverage ON network_coverage.sweep = sweeps.sweep
GROUP BY sweeps.sweep, sweeps.addresses
HAVING sum(network_coverage.addresses) <> sweeps.addresses
