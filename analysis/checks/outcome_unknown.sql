-- Question: Is there a target whose outcome is not one of the closed set?
-- Grain: one row for each (sweep, relation, outcome) that is wrong.
-- Notes: the set is pipeline.outcome.Outcome; a test compares the two.
WITH all_outcomes AS (
    SELECT sweep, 'responses' AS relation, outcome FROM responses
    UNION ALL
    SELECT sweep, 'associations', outcome FROM associations
)

SELECT sweep, relation, outcome, count(*) AS targets
FROM all_outcomes
WHERE outcome IS NULL OR outcome NOT IN (
    'echoed', 'accepted', 'accepted_no_verification', 'rejected', 'aborted', 'malformed', 'reflected', 'not_dicom',
    'tls', 'silent', 'unacknowledged', 'zero_window', 'reset', 'closed'
)
GROUP BY ALL
