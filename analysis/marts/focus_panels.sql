-- Question: Which focus sweeps probed the same /24s, and in which order?
-- Grain: one row for each focus sweep whose method is known.
-- Notes: same name, method_digest (which has the whole sweeps that a focus began with, and its sample) and vantages. previous is the
--   one before; they differ by opt-outs alone. A focus sweep is in no series: its counts are compared with those of its panel only.
SELECT
    sweeps.sweep,
    lag(sweeps.sweep) OVER panel AS previous,
    row_number() OVER panel AS position,
    date_diff('second', lag(sweeps.started_at) OVER panel, sweeps.started_at) / 86400.0 AS days
FROM sweeps
JOIN methods ON methods.sweep = sweeps.sweep
WHERE sweeps.focus IS NOT NULL
WINDOW
    panel AS (
        PARTITION BY sweeps.name, methods.method_digest, list_sort(sweeps.vantages)
        ORDER BY sweeps.started_at, sweeps.sweep
    )
