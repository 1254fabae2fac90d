-- Question: How many services does each country have by one database of places, and by another?
-- Grain: the rows of $sweep.
-- Notes: the most services, by either database, first.
SELECT * EXCLUDE (sweep)
FROM country_databases
WHERE sweep = $sweep
ORDER BY greatest(services, services_second) DESC, country
