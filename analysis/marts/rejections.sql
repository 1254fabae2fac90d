-- Question: With which reasons do exposed services reject our association?
-- Grain: one row for each (sweep, rj_result, rj_source, rj_reason) that occurred.
-- Order: services DESC, rj_result, rj_source, rj_reason
-- Notes: meanings by PS3.8 Table 9-21; a reason outside the table has none. services_estimated is the count over the sampled share.
WITH meanings (rj_source, rj_reason, meaning) AS (
    VALUES
        (1, 1, 'no reason given'),
        (1, 2, 'application context name not supported'),
        (1, 3, 'calling AE title not recognized'),
        (1, 7, 'called AE title not recognized'),
        (2, 1, 'no reason given (ACSE)'),
        (2, 2, 'protocol version not supported'),
        (3, 1, 'temporary congestion'),
        (3, 2, 'local limit exceeded')
)

SELECT
    exposed.sweep,
    exposed.rj_result,
    exposed.rj_source,
    exposed.rj_reason,
    meanings.meaning,
    count(*) AS services,
    count(*) / any_value(sweeps.sampled_share) AS services_estimated
FROM exposed_2026_11 AS exposed
LEFT JOIN meanings ON meanings.rj_source = exposed.rj_source AND meanings.rj_reason = exposed.rj_reason
LEFT JOIN sweeps ON sweeps.sweep = exposed.sweep
WHERE exposed.outcome = 'rejected'
GROUP BY ALL
