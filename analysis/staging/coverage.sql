-- Question: How many addresses of each country did the sweep have in its target space?
-- Grain: one row for each (sweep, country); null counts the addresses that the database does not place.
-- Notes: before sampling; `countries` scales it by the sampled share.
SELECT sweep, * EXCLUDE (sweep)
FROM raw_coverage
