-- Question: Which abstract syntaxes would a service in signed ranges accept?
-- Grain: one row for each (sweep, ip, port, context_id) of sweeps of the profile `capabilities`.
-- Notes: result as in PS3.8 Table 9-18, 0 is acceptance; null if the answer lacks the context. role is what accepting it makes a
--   node. Holds addresses: for the owner only.
WITH proposed AS (
    SELECT * FROM (
        VALUES
        (1, '1.2.840.10008.1.1', 'verification', 'Verification SOP Class'),
        (3, '1.2.840.10008.5.1.4.1.1.2', 'storage', 'CT Image Storage'),
        (5, '1.2.840.10008.5.1.4.1.1.4', 'storage', 'MR Image Storage'),
        (7, '1.2.840.10008.5.1.4.1.1.1', 'storage', 'Computed Radiography Image Storage'),
        (9, '1.2.840.10008.5.1.4.1.1.6.1', 'storage', 'Ultrasound Image Storage'),
        (11, '1.2.840.10008.5.1.4.1.1.7', 'storage', 'Secondary Capture Image Storage'),
        (13, '1.2.840.10008.5.1.4.1.1.104.1', 'storage', 'Encapsulated PDF Storage'),
        (15, '1.2.840.10008.5.1.4.1.2.1.1', 'query', 'Patient Root Query/Retrieve Information Model - FIND'),
        (17, '1.2.840.10008.5.1.4.1.2.2.1', 'query', 'Study Root Query/Retrieve Information Model - FIND'),
        (19, '1.2.840.10008.5.1.4.31', 'worklist', 'Modality Worklist Information Model - FIND'),
        (21, '1.2.840.10008.3.1.2.3.3', 'procedure step', 'Modality Performed Procedure Step SOP Class'),
        (23, '1.2.840.10008.1.20.1', 'commitment', 'Storage Commitment Push Model SOP Class'),
        (25, '1.2.840.10008.5.1.1.9', 'print', 'Basic Grayscale Print Management Meta SOP Class')
    ) AS listed (context_id, abstract_syntax, role, name)
)

SELECT
    associations.sweep,
    associations.ip,
    associations.address,
    associations.port,
    proposed.context_id,
    proposed.abstract_syntax,
    proposed.role,
    proposed.name,
    list_filter(associations.contexts, lambda context: context.id = proposed.context_id)[1].result AS result,
    coalesce(list_filter(associations.contexts, lambda context: context.id = proposed.context_id)[1].result = 0, false) AS accepted
FROM associations
CROSS JOIN proposed
WHERE associations.profile = 'capabilities'
    AND associations.contexts IS NOT NULL
