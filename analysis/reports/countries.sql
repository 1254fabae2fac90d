-- Question: How many DICOM services answer in each country, and among how many addresses?
-- Grain: the rows of $sweep.
-- Notes: the most services first.
SELECT * EXCLUDE (sweep)
FROM countries
WHERE sweep = $sweep
ORDER BY services DESC, country
