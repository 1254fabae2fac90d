-- Question: Where does one build of the country database place every service of a series?
-- Grain: one row for each (series, ip) with a sighting; country is null where it is not placed.
-- Notes: by the database of the newest sweep of the series, so that a new build moves no service from one sweep to the next. An address
--   that did not answer in that sweep is where its /24 is, if that build places all answering addresses of it in one country, else
--   where it was at its last sighting. Holds addresses: never publish its rows.
WITH newest AS (
    SELECT series, arg_max(sweep, position) AS sweep, max(position) AS position
    FROM series
    GROUP BY series
),

seen AS (
    SELECT
        series.series,
        exposed.ip,
        max(series.position) AS position,
        arg_max(coalesce(exposed.country, ''), series.position) AS country
    FROM exposed_2026_11 AS exposed
    JOIN series ON series.sweep = exposed.sweep
    GROUP BY series.series, exposed.ip
),

answering AS (
    SELECT newest.series, locations.ip, coalesce(locations.country, '') AS country
    FROM locations
    JOIN newest ON newest.sweep = locations.sweep
    WHERE locations.ip >> 8 IN (SELECT seen.ip >> 8 FROM seen)
),

prefixes AS (
    SELECT series, ip >> 8 AS prefix, min(country) AS country
    FROM answering
    GROUP BY series, ip >> 8
    HAVING min(country) = max(country)
)

SELECT
    seen.series,
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
LEFT JOIN answering ON answering.series = seen.series AND answering.ip = seen.ip
LEFT JOIN prefixes ON prefixes.series = seen.series AND prefixes.prefix = seen.ip >> 8
