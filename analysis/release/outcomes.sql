-- Question: What of the table of outcomes follows from its counts?
-- Grain: as the table.
-- Notes: the part of all answers.
SELECT outcomes.* REPLACE (
    targets / sum(targets) OVER (PARTITION BY sweep) AS share,
    targets / about.sampled_share AS targets_estimated
)
FROM outcomes
JOIN sweeps AS about USING (sweep)
