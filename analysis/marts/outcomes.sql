-- Question: What happened to the targets that answered our SYN?
-- Grain: one row for each (sweep, outcome) that occurred.
-- Order: targets DESC, outcome
-- Notes: the outcomes are a closed set, explained in docs/outcomes.md; share is of all targets that answered; targets_estimated is
--   the count over the sampled share.
SELECT
    responses.sweep,
    responses.outcome,
    count(*) AS targets,
    count(*) / sum(count(*)) OVER (PARTITION BY responses.sweep) AS share,
    count(*) / any_value(sweeps.sampled_share) AS targets_estimated
FROM responses
LEFT JOIN sweeps ON sweeps.sweep = responses.sweep
GROUP BY responses.sweep, responses.outcome
