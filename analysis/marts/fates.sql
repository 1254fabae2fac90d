-- Question: Which transitions did queries read before November 2026, by their former name?
-- Grain: one row for each (sweep, ip, port, fate), as in `transitions`.
-- Notes: the former name of `transitions`, kept for queries that use it. Holds addresses: never publish its rows.
SELECT * RENAME (transition AS fate)
FROM transitions
