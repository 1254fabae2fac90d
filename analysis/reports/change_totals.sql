-- Question: How many services in all are new, stayed, returned, went missing or are gone since the sweep before?
-- Grain: the rows of $sweep.
-- Notes: its one row.
SELECT * EXCLUDE (sweep)
FROM change_totals
WHERE sweep = $sweep
ORDER BY sweep
