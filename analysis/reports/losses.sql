-- Question: How well did the sweep go: what was lost, held back or visited again?
-- Grain: one row of sums over the receipts of $sweep.
-- Notes: what each count means is said of table `receipts`.
SELECT
    CAST(coalesce(sum(answers), 0) AS BIGINT) AS answers,
    CAST(coalesce(sum(duplicates), 0) AS BIGINT) AS duplicates,
    CAST(coalesce(sum(resets), 0) AS BIGINT) AS resets,
    CAST(coalesce(sum(unreachable), 0) AS BIGINT) AS unreachable,
    CAST(coalesce(sum(suppressed), 0) AS BIGINT) AS suppressed,
    CAST(coalesce(sum(quarantined), 0) AS BIGINT) AS quarantined,
    CAST(coalesce(sum(revisited), 0) AS BIGINT) AS revisited,
    CAST(coalesce(sum(ring_dropped), 0) AS BIGINT) AS ring_dropped,
    CAST(coalesce(sum(stalls), 0) AS BIGINT) AS stalls
FROM receipts
WHERE sweep = $sweep
