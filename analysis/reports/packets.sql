-- Question: What did the sweep send, and what did it discard, withhold or repeat?
-- Grain: one row of sums over the receipts of $sweep.
-- Notes: each count means what the same column of table `receipts` means; crashed_ranges are those whose crashed attempts sent
--        an unknown number of SYNs, which probes_abandoned leaves out. repeated_ranges took more than one attempt: the earlier
--        ones were cut off, or what they had found was void. sending_seconds is the time in which at least one sender sent
--        probes, without pauses of all.
WITH spans AS (
    SELECT
        epoch(started_at) AS began,
        epoch(started_at) + greatest(0, send_seconds - paused_seconds) AS ended
    FROM receipts
    WHERE sweep = $sweep AND round = 1
),

sending AS (
    SELECT sum(greatest(0, ended - greatest(began, coalesce(until_then, began)))) AS seconds
    FROM (
        SELECT *, max(ended) OVER (ORDER BY began, ended ROWS UNBOUNDED PRECEDING EXCLUDE CURRENT ROW) AS until_then
        FROM spans
    )
)

SELECT
    CAST(coalesce(sum(probes_sent), 0) AS BIGINT) AS probes_sent,
    CAST(coalesce(sum(probes_abandoned), 0) AS BIGINT) AS probes_abandoned,
    count(*) FILTER (WHERE probes_abandoned IS NULL) AS crashed_ranges,
    count(*) FILTER (WHERE attempts > 1) AS repeated_ranges,
    CAST(coalesce(sum(second_probes), 0) AS BIGINT) AS second_probes,
    CAST(coalesce(sum(control_probes), 0) AS BIGINT) AS control_probes,
    CAST(coalesce(sum(harm_probes), 0) AS BIGINT) AS harm_probes,
    CAST(coalesce(sum(companion_probes), 0) AS BIGINT) AS companion_probes,
    CAST(coalesce(sum(syn_retransmits), 0) AS BIGINT) AS syn_retransmits,
    CAST(coalesce(sum(handshakes), 0) AS BIGINT) AS handshakes,
    CAST(coalesce(sum(answers), 0) AS BIGINT) AS answers,
    CAST(coalesce(sum(duplicates), 0) AS BIGINT) AS duplicates,
    CAST(coalesce(sum(resets), 0) AS BIGINT) AS resets,
    CAST(coalesce(sum(unreachable), 0) AS BIGINT) AS unreachable,
    CAST(coalesce(sum(suppressed), 0) AS BIGINT) AS suppressed,
    CAST(coalesce(sum(quarantined), 0) AS BIGINT) AS quarantined,
    CAST(coalesce(sum(revisited), 0) AS BIGINT) AS revisited,
    CAST(coalesce(sum(ring_dropped), 0) AS BIGINT) AS ring_dropped,
    CAST(coalesce(sum(stalls), 0) AS BIGINT) AS stalls,
    CAST(coalesce(sum(late_deadlines), 0) AS BIGINT) AS late_deadlines,
    (SELECT seconds FROM sending) AS sending_seconds
FROM receipts
WHERE sweep = $sweep
