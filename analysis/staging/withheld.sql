-- Question: Which addresses did the opt-out register withhold for all or a part of each sweep?
-- Grain: one row for each (sweep, first): a range of opt-outs and quarantines.
-- Notes: ranges are disjoint and sorted; last is included. A sweep that was enriched without its register has none. Never publish its
--   rows.
SELECT sweep, * EXCLUDE (sweep)
FROM raw_withheld
