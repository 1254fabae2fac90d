-- Question: Which addresses could each sweep have visited?
-- Grain: one row for each (sweep, first): a range of the target space, before sampling.
-- Notes: ranges are disjoint and sorted; last is included.
SELECT sweep, * EXCLUDE (sweep)
FROM raw_space
