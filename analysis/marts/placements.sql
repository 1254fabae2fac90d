-- Question: Where does one build of the country database place every service of a series?
-- Grain: one row for each (series, ip) with a sighting; country is null where it is not placed.
-- Notes: by the database of the newest sweep of the series, so that a new build moves no service from one sweep to the next. An address
--   that did not answer in that sweep is where its /24 is, if that build places all answering addresses of it in one country, else
--   where it was at its last sighting. Holds addresses: never publish its rows.
SELECT series.series, places.ip, dotted(places.ip) AS address, places.country
FROM newest_places AS places
JOIN series ON series.sweep = places.sweep
