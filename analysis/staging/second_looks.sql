-- Question: How often did a second SYN confirm the first?
-- Grain: one row for each (sweep, vantage).
-- Notes: empty if the sweep sent no second SYN; its loss is then unknown. Never publish vantage.
SELECT sweep, * EXCLUDE (sweep)
FROM raw_second_looks
