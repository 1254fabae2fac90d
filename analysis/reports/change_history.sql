-- Question: How did the services change from sweep to sweep?
-- Grain: the rows of mart `change_totals` of the sweeps of a series up to $sweep.
-- Notes: the oldest sweep first.
FROM change_totals
WHERE sweep IN (FROM so_far($sweep))
ORDER BY sweep
