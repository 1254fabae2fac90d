-- Question: How often does a sweep see what is there, by its second look?
-- Grain: the rows of the sweeps of a series up to $sweep.
-- Notes: by sweep.
FROM loss
WHERE sweep IN (FROM so_far($sweep))
ORDER BY sweep
