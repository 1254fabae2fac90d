-- Question: Which sweeps may be compared with the newest one of a name?
-- Grain: a table of (series_name): one row for each of them, as in the view `series`.
-- Notes: FROM trend JOIN series('weekly') USING (sweep) ORDER BY position. A changed method or a lost vantage begins another series,
--   so earlier sweeps of the same name may be missing. Empty if the newest sweep is a sample or is not enriched.
CREATE OR REPLACE MACRO series(series_name) AS TABLE
    SELECT compared.sweep, compared.position, compared.previous, compared.days
    FROM series AS compared
    JOIN series AS newest ON newest.series = compared.series
    WHERE newest.sweep = latest(series_name)
    ORDER BY compared.position
