-- Question: Did the lab's own control targets answer throughout the sweep?
-- Grain: one row for each (sweep, ip, port, asked_at).
-- Notes: a silence of several in a row stops the sweep.
SELECT
    asked.sweep,
    dotted(ip) AS address,
    asked.* EXCLUDE (sweep)
FROM raw_control_targets AS asked
