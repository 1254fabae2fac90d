-- Question: How many hosts were alive before and gone after, with a visit in the meantime and without one?
-- Grain: one row for each (sweep, arm): visited, unvisited, speaker.
-- Order: arm
-- Notes: docs/harm.md. visited: reached by a visit, probed by a SYN a delay later. unvisited: answered a SYN, visited a delay later.
--   speaker: spoke DICOM at an undelayed visit, probed a delay later. ended: neither a SYN nor its repetition was answered.
SELECT
    harm.sweep,
    harm.arm,
    count(*) AS alive,
    count(*) FILTER (
        CASE harm.arm WHEN 'unvisited' THEN responses.close_stage = 'connect' ELSE NOT harm.alive_after END
    ) AS ended
FROM harm
JOIN responses ON responses.sweep = harm.sweep AND responses.ip = harm.ip AND responses.port = harm.port
WHERE
    CASE harm.arm
        WHEN 'unvisited' THEN harm.alive_before
        ELSE harm.alive_after IS NOT NULL AND responses.close_stage <> 'connect'
    END
GROUP BY harm.sweep, harm.arm
