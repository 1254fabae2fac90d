-- Question: With which reasons do exposed services reject our association?
-- Grain: the rows of $sweep.
-- Notes: the most services first.
SELECT * EXCLUDE (sweep)
FROM rejections
WHERE sweep = $sweep
ORDER BY services DESC, rj_result, rj_source, rj_reason
