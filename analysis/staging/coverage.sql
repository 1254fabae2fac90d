-- Question: How many addresses of each country are in the sweep's target space?
-- Grain: one row for each (sweep, country); null counts the addresses that the database does not place.
-- Notes: before sampling; `countries` scales it by the sampled share.
SELECT sweep, * EXCLUDE (sweep)
FROM raw_coverage
