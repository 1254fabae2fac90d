-- Question: What did two vantages see of the same services, and how many did both miss?
-- Grain: the rows of the sweeps of a series up to $sweep.
-- Notes: the nearest in time first.
FROM vantages
WHERE sweep IN (FROM so_far($sweep)) OR other IN (FROM so_far($sweep))
ORDER BY days, sweep, other, port
