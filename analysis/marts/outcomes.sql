-- Question: What happened to the targets that answered our SYN?
-- Grain: one row for each (sweep, outcome) that occurred.
-- Notes: the outcomes are a closed set, explained in docs/outcomes.md; share is of all targets that answered.
SELECT
    sweep,
    outcome,
    count(*) AS targets,
    count(*) / sum(count(*)) OVER (PARTITION BY sweep) AS share
FROM responses
GROUP BY sweep, outcome
