-- Question: How many services answered in each sweep, with what belongs to the count?
-- Grain: the rows of the sweeps of a series up to $sweep.
-- Notes: the oldest sweep first.
FROM trend
WHERE sweep IN (FROM so_far($sweep))
ORDER BY started_at, sweep
