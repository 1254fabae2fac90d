-- Question: How few and how many services may be in each country, by two geolocation databases?
-- Grain: one row for each (sweep, country) that either database names; null is what a database does not place.
-- Order: services DESC, country
-- Notes: least counts the services that both place there, most those that either does: which of them is right is not known (partial
--   identification, Manski 2003). Both may be wrong. Null: the sweep was enriched by an older program.
SELECT
    sweep,
    country,
    services,
    country_databases.both AS least,
    services + services_second - country_databases.both AS most
FROM country_databases
