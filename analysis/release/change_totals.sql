-- Question: What of the changes of all countries follows from those of each?
-- Grain: as the table.
-- Notes: services that moved to another country would be in two.
SELECT change_totals.* REPLACE (
    sums.stayed AS stayed,
    sums.new AS new,
    sums.returned AS returned,
    sums.missing AS missing,
    sums.gone AS gone
)
FROM change_totals
JOIN (
    SELECT
        sweep,
        CAST(sum(stayed) AS BIGINT) AS stayed,
        CAST(sum(new) AS BIGINT) AS new,
        CAST(sum(returned) AS BIGINT) AS returned,
        CAST(sum(missing) AS BIGINT) AS missing,
        CAST(sum(gone) AS BIGINT) AS gone
    FROM changes
    GROUP BY sweep
) AS sums ON sums.sweep = change_totals.sweep
