-- Question: Which replies did a later parser judge again, and how?
-- Grain: one row for each (sweep, ip, port) of associations that it reads otherwise, or whose parser was older.
-- Notes: written by `census reparse`; the view associations prefers it. Never publish rows of it.
SELECT sweep, * EXCLUDE (sweep)
FROM raw_reparsed
