-- Question: What became of the services that stayed: were they opened, closed or changed?
-- Grain: one row for each (sweep, country) of a series, from its second sweep on, with a service that stayed, and one of_all together.
-- Order: of_all DESC, stayed DESC, country
-- Notes: stayed: seen at the same address and port in both, so neither churn nor loss is in these counts; an address may have changed hands.
--   opened and closed: it accepts unknown clients now, or accepted them then, and not in the other sweep. renewed: the same class UID
--   with another version name; replaced: another class UID. tls_adopted: a handshake was completed now and had failed then.
WITH placed AS (
    SELECT stays.*, coalesce(placements.country, stays.country_then) AS country
    FROM stays
    JOIN series ON series.sweep = stays.sweep
    LEFT JOIN placements ON placements.series = series.series AND placements.ip = stays.ip
),

lines AS (
    SELECT sweep, false AS of_all, country, has_opened, has_closed, has_renewed, was_replaced, adopted_tls FROM placed
    UNION ALL
    SELECT sweep, true, NULL, has_opened, has_closed, has_renewed, was_replaced, adopted_tls FROM placed
)

SELECT
    sweep,
    of_all,
    country,
    count(*) AS stayed,
    count(*) FILTER (has_opened) AS opened,
    count(*) FILTER (has_closed) AS closed,
    count(*) FILTER (has_renewed) AS renewed,
    count(*) FILTER (was_replaced) AS replaced,
    count(*) FILTER (adopted_tls) AS tls_adopted
FROM lines
GROUP BY sweep, of_all, country
