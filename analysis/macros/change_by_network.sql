-- Question: What changed from one sweep of a series to another, in each network of each country?
-- Grain: a table of (before, now): one row for each (country, network) with a service in either; empty if they are of two series.
-- Notes: columns as in `change_since`. network is the autonomous system at the service's last sighting of the two, or its /24 where no
--   database knows one: services of a network change together, so change is tested by network. Never publish its rows: a network may
--   be one hospital's.
CREATE OR REPLACE MACRO change_by_network(before_id, now_id) AS TABLE
    WITH pair AS (
        SELECT now.sweep
        FROM series AS now
        JOIN series AS earlier ON earlier.series = now.series AND earlier.position < now.position
        WHERE now.sweep = now_id AND earlier.sweep = before_id
    ),

    services AS (
        SELECT
            exposed.ip,
            exposed.port,
            arg_max(network_of(exposed.asn, exposed.ip), series.position) AS network,
            any_value(coalesce(placements.country, '')) AS country,
            any_value(coalesce(exposed.country, '')) FILTER (exposed.sweep = before_id) AS country_then,
            bool_or(exposed.sweep = before_id) AS was,
            bool_or(exposed.sweep = now_id) AS is_now
        FROM exposed_2026_11 AS exposed
        JOIN series ON series.sweep = exposed.sweep
        JOIN placements ON placements.series = series.series AND placements.ip = exposed.ip
        WHERE exposed.sweep IN (before_id, now_id) AND EXISTS (FROM pair)
        GROUP BY exposed.ip, exposed.port
    ),

    compared AS (
        SELECT services.*, CASE WHEN is_now THEN before_id ELSE now_id END AS other
        FROM services
    ),

    placed AS (
        SELECT
            compared.*,
            (was AND is_now) OR coalesce(compared.ip <= space.last, false) AS in_space,
            NOT (was AND is_now) AND coalesce(compared.ip <= withheld.last, false) AS withheld
        FROM compared
        ASOF LEFT JOIN space ON space.sweep = compared.other AND compared.ip >= space.first
        ASOF LEFT JOIN withheld ON withheld.sweep = compared.other AND compared.ip >= withheld.first
    ),

    counted AS (
        SELECT *, true AS is_here, was AND country_then <> country AS moved
        FROM placed
        UNION ALL BY NAME
        SELECT * REPLACE (country_then AS country), false AS is_here, true AS moved
        FROM placed
        WHERE was AND country_then <> country
    )

    SELECT
        nullif(country, '') AS country,
        network,
        count(*) FILTER (is_here AND was AND is_now) AS stayed,
        count(*) FILTER (is_here AND is_now AND NOT was AND in_space AND NOT withheld) AS came,
        count(*) FILTER (is_here AND was AND NOT is_now AND in_space AND NOT withheld) AS went,
        count(*) FILTER (is_here AND is_now AND NOT was AND (NOT in_space OR withheld)) AS entered,
        count(*) FILTER (is_here AND was AND NOT is_now AND NOT in_space) AS left_space,
        count(*) FILTER (is_here AND moved) AS moved_in,
        count(*) FILTER (NOT is_here) AS moved_out,
        count(*) FILTER (is_here AND was AND NOT is_now AND in_space AND withheld) AS withheld
    FROM counted
    GROUP BY country, network
