-- Question: Is there a response that speaks DICOM and has no association?
-- Grain: one row for each (sweep, ip, port) that is wrong.
-- Notes: replies that begin like DICOM are in both tables.
SELECT responses.sweep, responses.ip, responses.port, responses.outcome
FROM responses
ANTI JOIN associations
    ON associations.sweep = responses.sweep
    AND associations.ip = responses.ip
    AND associations.port = responses.port
WHERE speaks_dicom(responses.outcome)
