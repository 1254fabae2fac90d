-- Question: Which replies did a later parser read again, and with what result?
-- Grain: one row for each (sweep, ip, port) of associations whose result changed, or whose parser was older.
-- Notes: written by `census reparse`; the view associations prefers it. Never publish its rows.
SELECT sweep, dotted(ip) AS address, * EXCLUDE (sweep)
FROM raw_reparsed
