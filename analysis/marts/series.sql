-- Question: Which sweeps are comparable, and in which order?
-- Grain: one row for each complete sweep whose method is known.
-- Notes: definition of November 2026. A series has the same name, method_digest (all that decides what is found, and when) and
--   vantages, and every address visited. A changed method or a lost vantage begins another series; samples are in none, since
--   they visit other addresses; nor are focus sweeps (`focus_panels`), of whose space only a part was probed with certainty,
--   or visibility sweeps (`visibility`). Series are numbered by their first sweep; position counts from 1 within one.
WITH described AS (
    SELECT
        sweeps.sweep,
        sweeps.name,
        sweeps.started_at,
        methods.method_digest,
        list_sort(sweeps.vantages) AS vantages
    FROM sweeps
    JOIN methods ON methods.sweep = sweeps.sweep
    WHERE sweeps.sampled_share = 1 AND sweeps.visibility_of IS NULL
),

begun AS (
    SELECT *, min(started_at) OVER (PARTITION BY name, method_digest, vantages) AS began
    FROM described
),

numbered AS (
    SELECT
        sweep,
        dense_rank() OVER (ORDER BY began, name, method_digest, vantages) AS series,
        started_at,
        method_digest
    FROM begun
)

SELECT
    sweep,
    series,
    row_number() OVER in_series AS position,
    started_at,
    method_digest,
    lag(sweep) OVER in_series AS previous,
    lag(sweep, 2) OVER in_series AS before_previous,
    date_diff('second', lag(started_at) OVER in_series, started_at) / 86400.0 AS days
FROM numbered
WINDOW in_series AS (PARTITION BY series ORDER BY started_at, sweep)
