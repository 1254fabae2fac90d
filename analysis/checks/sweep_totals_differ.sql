-- Question: Does a sealed sweep claim other totals than its receipts or its tables have?
-- Grain: one row for each (sweep, total) that differs.
-- Notes: probes against the receipts; rows against the receipts and the tables.
WITH claimed AS (
    UNPIVOT (SELECT sweep, probes_sent, responses, associations FROM sweeps)
    ON probes_sent, responses, associations INTO NAME total VALUE claimed
),

by_receipts AS (
    UNPIVOT (
        SELECT
            sweep,
            CAST(sum(probes_sent) AS UBIGINT) AS probes_sent,
            CAST(sum(responses) AS UBIGINT) AS responses,
            CAST(sum(associations) AS UBIGINT) AS associations
        FROM receipts
        GROUP BY sweep
    )
    ON probes_sent, responses, associations INTO NAME total VALUE counted
),

by_rows AS (
    SELECT sweep, 'responses' AS total, count(*) AS counted FROM responses GROUP BY sweep
    UNION ALL
    SELECT sweep, 'associations', count(*) FROM associations GROUP BY sweep
)

SELECT claimed.sweep, claimed.total, claimed.claimed, by_receipts.counted AS receipts, by_rows.counted AS row_count
FROM claimed
LEFT JOIN by_receipts ON by_receipts.sweep = claimed.sweep AND by_receipts.total = claimed.total
LEFT JOIN by_rows ON by_rows.sweep = claimed.sweep AND by_rows.total = claimed.total
WHERE claimed.claimed <> coalesce(by_receipts.counted, 0)
    OR (claimed.total <> 'probes_sent' AND claimed.claimed <> coalesce(by_rows.counted, 0))
