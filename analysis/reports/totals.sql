-- Question: How many DICOM services answer in all, and among how many addresses?
-- Grain: the rows of $sweep.
-- Notes: its one row.
SELECT * EXCLUDE (sweep)
FROM totals
WHERE sweep = $sweep
ORDER BY sweep
