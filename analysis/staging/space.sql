-- Question: Which addresses could each sweep have visited?
-- Grain: one row for each (sweep, first): a range of the target space, before sampling.
-- Notes: ranges are disjoint and sorted; last is included.
SELECT sweep, dotted(first) AS first_address, dotted(last) AS last_address, * EXCLUDE (sweep)
FROM raw_space
