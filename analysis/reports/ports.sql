-- Question: How many DICOM services answer on each port of each country?
-- Grain: the rows of $sweep.
-- Notes: the most services first.
SELECT * EXCLUDE (sweep)
FROM ports
WHERE sweep = $sweep
ORDER BY services DESC, responsive DESC, country, port
