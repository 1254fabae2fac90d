-- Question: Which addresses answered on a port where nothing should?
-- Grain: one row for each (sweep, ip).
-- Notes: only of the addresses that got a control SYN, a share of all. Holds addresses: never publish its rows.
SELECT
    controls.sweep,
    dotted(ip) AS address,
    controls.* EXCLUDE (sweep)
FROM raw_controls AS controls
