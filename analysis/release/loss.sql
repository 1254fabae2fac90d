-- Question: What of the table of loss follows from its counts?
-- Grain: as the table.
-- Notes: hosts that took our request are counted, where the sweep knows them.
SELECT loss.* REPLACE (
    coalesce(took_twice, seen_twice) / nullif(coalesce(took, seen_second), 0) AS detection,
    wilson_low(coalesce(took_twice, seen_twice), coalesce(took, seen_second)) AS detection_low,
    wilson_high(coalesce(took_twice, seen_twice), coalesce(took, seen_second)) AS detection_high
)
FROM loss
