-- Question: How many targets pass each step from a probe to an answered C-ECHO?
-- Grain: one row for each (sweep, step), steps numbered from 1; a target is an (address, port).
-- Order: position
-- Notes: accepts_data omits targets that reset or closed without a byte, some of which had taken our request. A service that only
--   a second visit through TLS reached counts in the steps after it. targets_estimated is the count over the sampled share.
--   echoes is null where the sweep's profile sends no C-ECHO, and until the sweep is sealed.
WITH probed AS (
    SELECT sweep, CAST(sum(probes_sent) AS BIGINT) AS targets
    FROM receipts
    GROUP BY sweep
),

answered AS (
    SELECT
        sweep,
        count(*) AS responsive,
        count(*) FILTER (accepts_data(outcome)) AS accepts_data,
        count(*) FILTER (speaks_dicom(outcome)) AS speaks_dicom,
        count(*) FILTER (accepts(outcome)) AS accepts_association,
        count(*) FILTER (outcome = 'echoed') AS echoes
    FROM last_outcomes
    GROUP BY sweep
),

wide AS (
    SELECT
        probed.sweep,
        probed.targets AS probed,
        coalesce(answered.responsive, 0) AS responsive,
        coalesce(answered.accepts_data, 0) AS accepts_data,
        coalesce(answered.speaks_dicom, 0) AS speaks_dicom,
        coalesce(answered.accepts_association, 0) AS accepts_association,
        CASE WHEN asks_echo(sweeps.profile) THEN coalesce(answered.echoes, 0) END AS echoes
    FROM probed
    LEFT JOIN answered ON answered.sweep = probed.sweep
    LEFT JOIN sweeps ON sweeps.sweep = probed.sweep
),

steps AS (
    SELECT sweep, 1 AS position, 'probed' AS step, probed AS targets FROM wide
    UNION ALL
    SELECT sweep, 2, 'responsive', responsive FROM wide
    UNION ALL
    SELECT sweep, 3, 'accepts_data', accepts_data FROM wide
    UNION ALL
    SELECT sweep, 4, 'speaks_dicom', speaks_dicom FROM wide
    UNION ALL
    SELECT sweep, 5, 'accepts_association', accepts_association FROM wide
    UNION ALL
    SELECT sweep, 6, 'echoes', echoes FROM wide
)

SELECT steps.*, steps.targets / sweeps.sampled_share AS targets_estimated
FROM steps
LEFT JOIN sweeps ON sweeps.sweep = steps.sweep
