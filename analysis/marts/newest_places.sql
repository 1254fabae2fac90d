-- Question: Where does the country database of the newest sweep of a series place every service of the series?
-- Grain: one row for each (sweep, ip) with a sighting in the series of which sweep is the newest; country is null where it is not placed.
-- Notes: an address that did not answer in that sweep is where its /24 is, if that build places all answering addresses of it in one
--   country, else where it was at its last sighting. Built for each sweep while it is the newest, so a new database makes nothing older
--   stale. Holds addresses: never publish its rows.
WITH newest AS (
    SELECT series, arg_max(sweep, position) AS sweep, max(position) AS position
    FROM series
    GROUP BY series
),

seen AS (
    SELECT series, ip, max(position) AS position, arg_max(coalesce(country, ''), position) AS country
    FROM services_seen
    GROUP BY series, ip
),

answering AS (
    SELECT locations.sweep, locations.ip, coalesce(locations.country, '') AS country
    FROM locations
    JOIN newest ON newest.sweep = locations.sweep
    WHERE locations.ip >> 8 IN (SELECT seen.ip >> 8 FROM seen)
),

prefixes AS (
    SELECT sweep, ip >> 8 AS prefix, min(country) AS country
    FROM answering
    GROUP BY sweep, ip >> 8
    HAVING min(country) = max(country)
)

SELECT
    newest.sweep,
    seen.ip,
    dotted(seen.ip) AS address,
    nullif(
        CASE
            WHEN seen.position = newest.position THEN seen.country
            ELSE coalesce(answering.country, prefixes.country, seen.country)
        END, ''
    ) AS country
FROM seen
JOIN newest ON newest.series = seen.series
LEFT JOIN answering ON answering.sweep = newest.sweep AND answering.ip = seen.ip
LEFT JOIN prefixes ON prefixes.sweep = newest.sweep AND prefixes.prefix = seen.ip >> 8
