-- Question: How many services came and went in each /24 between two focus sweeps of a panel, at addresses that both probed?
-- Grain: one row for each (sweep, slash24) where any came or went since the previous sweep of `focus_panels`.
-- Notes: what one of both did not probe, or the register withheld in one, neither came nor went. Holds addresses: never publish its
--   rows.
WITH pairs AS MATERIALIZED (
    SELECT sweep, previous FROM focus_panels WHERE previous IS NOT NULL
),

seen AS MATERIALIZED (
    SELECT sweep, ip, port
    FROM exposed_2026_11
    SEMI JOIN focus_panels ON focus_panels.sweep = exposed_2026_11.sweep
),

moved AS (
    SELECT pairs.sweep, pairs.previous AS other, seen.ip, 1 AS came, 0 AS went
    FROM pairs
    JOIN seen ON seen.sweep = pairs.sweep
    ANTI JOIN seen AS earlier ON earlier.sweep = pairs.previous AND earlier.ip = seen.ip AND earlier.port = seen.port
    UNION ALL
    SELECT pairs.sweep, pairs.sweep, seen.ip, 0, 1
    FROM pairs
    JOIN seen ON seen.sweep = pairs.previous
    ANTI JOIN seen AS later ON later.sweep = pairs.sweep AND later.ip = seen.ip AND later.port = seen.port
)

SELECT
    moved.sweep,
    moved.ip // 256 AS slash24,
    space.inclusion,
    CAST(sum(moved.came) AS BIGINT) AS came,
    CAST(sum(moved.went) AS BIGINT) AS went
FROM moved
ASOF JOIN space ON space.sweep = moved.other AND moved.ip >= space.first
ASOF LEFT JOIN withheld ON withheld.sweep = moved.other AND moved.ip >= withheld.first
WHERE moved.ip <= space.last AND NOT coalesce(moved.ip <= withheld.last, false)
GROUP BY moved.sweep, moved.ip // 256, space.inclusion
