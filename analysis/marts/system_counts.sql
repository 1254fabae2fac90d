-- Question: On how many distinct systems do the exposed services of each country run, by three rules?
-- Grain: one row for each (sweep, country) with an exposed service.
-- Order: services DESC, country
-- Notes: certain: one address is one system; probable: so is one certificate key in at most three networks; possible: so is one
--   identity and behaviour in one /24. A system in two countries counts in both. Null: the sweep was enriched by an older program.
SELECT
    exposed.sweep,
    exposed.country,
    count(*) AS services,
    count(DISTINCT exposed.ip) AS addresses,
    nullif(count(DISTINCT systems.certain), 0) AS certain,
    nullif(count(DISTINCT systems.probable), 0) AS probable,
    nullif(count(DISTINCT systems.possible), 0) AS possible
FROM exposed_2026_11 AS exposed
LEFT JOIN systems
    ON systems.sweep = exposed.sweep AND systems.ip = exposed.ip AND systems.port = exposed.port
GROUP BY exposed.sweep, exposed.country
