-- Question: Which services entered or left the target space of their series?
-- Grain: one row for each (series, ip, port).
-- Notes: only in a series whose space changed. Holds addresses: never publish its rows.
WITH moving AS (
    SELECT series.series
    FROM series
    JOIN methods ON methods.sweep = series.sweep
    GROUP BY series.series
    HAVING count(DISTINCT methods.space_digest) > 1
)

SELECT DISTINCT series.series, steps.ip, dotted(steps.ip) AS address, steps.port
FROM service_steps AS steps
JOIN series ON series.sweep = steps.sweep
WHERE steps.outside_space AND series.series IN (FROM moving)
