-- Question: Who answered on a port where nothing should?
-- Grain: one row for each (sweep, ip).
-- Notes: of the addresses with a control SYN only, a share of all. Holds addresses: never publish rows of it.
SELECT
    controls.sweep,
    dotted(ip) AS address,
    controls.* EXCLUDE (sweep)
FROM raw_controls AS controls
