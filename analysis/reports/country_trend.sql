-- Question: How many services answered in each country in each sweep?
-- Grain: the rows of the sweeps of a series up to $sweep.
-- Notes: the oldest sweep first.
FROM country_trend
WHERE sweep IN (FROM so_far($sweep))
ORDER BY started_at, services DESC, country
