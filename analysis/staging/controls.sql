-- Question: Who answered on a port where nothing should?
-- Grain: one row for each (sweep, ip).
-- Notes: of the addresses with a control SYN only, a share of all. Holds addresses: never publish rows of it.
SELECT
    controls.sweep,
    concat_ws('.', ip >> 24, (ip >> 16) & 255, (ip >> 8) & 255, ip & 255) AS address,
    controls.* EXCLUDE (sweep)
FROM raw_controls AS controls
