-- Question: Is there an association of a target without a response, or with another outcome there?
-- Grain: one row for each (sweep, ip, port) that is wrong.
-- Notes: every association began with a validated SYN-ACK, and both tables have the same outcome, except where a second visit
--   reached the service or a later parser read the bytes again.
SELECT
    associations.sweep,
    associations.ip,
    associations.port,
    associations.outcome,
    responses.outcome AS response_outcome
FROM associations
LEFT JOIN responses
    ON responses.sweep = associations.sweep
    AND responses.ip = associations.ip
    AND responses.port = associations.port
ANTI JOIN raw_reparsed AS again
    ON again.sweep = associations.sweep
    AND again.ip = associations.ip
    AND again.port = associations.port
WHERE responses.outcome IS NULL
    OR (coalesce(associations.round, 1) <> 2 AND responses.outcome <> associations.outcome)
