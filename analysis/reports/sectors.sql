-- Question: In which sectors are the owners of exposed services, and how sure is that?
-- Grain: the rows of $sweep.
-- Notes: the most services first.
SELECT * EXCLUDE (sweep)
FROM sectors
WHERE sweep = $sweep
ORDER BY services DESC, country, sector, confidence
