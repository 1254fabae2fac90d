-- Question: Which comparisons of two vantages concern the series of $sweep?
-- Grain: the rows of mart `vantages` in which one of the two sweeps is of that series, up to $sweep.
-- Notes: the nearest in time first.
FROM vantages
WHERE sweep IN (FROM so_far($sweep)) OR other IN (FROM so_far($sweep))
ORDER BY days, sweep, other, port
