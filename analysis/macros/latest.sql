-- Question: Which sealed sweep began last, of all or of those with one name?
-- Grain: a scalar of (), or of (series_name); null without such a sweep.
-- Notes: FROM countries WHERE sweep = latest('weekly'). Without a name it is the newest of all, whatever its series; visibility sweeps do not count. The id itself
--   in its place is faster on large tables: DuckDB then opens that sweep's files alone.
CREATE OR REPLACE MACRO latest(series_name := NULL) AS (
    SELECT arg_max(sweep, (started_at, sweep))
    FROM sweeps
    WHERE name = series_name OR (series_name IS NULL AND visibility_of IS NULL)
)
