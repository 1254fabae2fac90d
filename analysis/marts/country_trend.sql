-- Question: How many services answered in each country in each sweep?
-- Grain: one row for each (sweep, country) with a service; series as in `trend`.
-- Order: started_at, services DESC, country
-- Notes: a country is where the database of the sweep's time placed the address; a new build of the database moves some.
SELECT
    countries.sweep,
    sweeps.started_at,
    series.series,
    series.position,
    countries.country,
    countries.services,
    countries.addresses,
    countries.accepting
FROM countries
JOIN sweeps ON sweeps.sweep = countries.sweep
LEFT JOIN series ON series.sweep = countries.sweep
WHERE countries.services > 0
