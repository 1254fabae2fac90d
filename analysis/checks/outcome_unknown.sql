-- Question: Is there a target whose outcome is not one of the closed set?
-- Grain: one row for each (sweep, relation, outcome) that is wrong.
-- Notes: the set is pipeline.outcome.Outcome, from which the macro is made.
WITH all_outcomes AS (
    SELECT sweep, 'responses' AS relation, outcome FROM responses
    UNION ALL
    SELECT sweep, 'associations', outcome FROM associations
)

SELECT sweep, relation, outcome, count(*) AS targets
FROM all_outcomes
WHERE is_outcome(outcome) IS NOT TRUE
GROUP BY ALL
