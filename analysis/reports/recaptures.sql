-- Question: What does a series of sweeps come down to, so that survival can be told from loss?
-- Grain: the rows of the sweeps of a series up to $sweep.
-- Notes: the oldest sweep first.
FROM recaptures
WHERE sweep IN (FROM so_far($sweep))
ORDER BY position
