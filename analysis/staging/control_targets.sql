-- Question: Did the lab's own control targets answer throughout the sweep?
-- Grain: one row for each (sweep, ip, port, asked_at).
-- Notes: if several in a row are silent, the sweep stops.
SELECT
    checked.sweep,
    dotted(ip) AS address,
    checked.* EXCLUDE (sweep)
FROM raw_control_targets AS checked
