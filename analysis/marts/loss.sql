-- Question: What fraction of responding services does one sweep detect, estimated from second SYNs?
-- Grain: one row for each sweep that sent second SYNs.
-- Order: sweep
-- Notes: detection is the share of the targets that answered the second SYN which answered the first one too (Petersen); its interval
--   here is Wilson's. It covers only transient loss, and all vantages together. seen_twice and seen_second are its counts.
SELECT
    sweep,
    CAST(sum(second_looks.seen_twice) AS BIGINT) AS seen_twice,
    CAST(sum(second_looks.seen_twice + second_only) AS BIGINT) AS seen_second,
    sum(second_looks.seen_twice) / nullif(sum(second_looks.seen_twice + second_only), 0) AS detection,
    wilson_low(sum(second_looks.seen_twice), sum(second_looks.seen_twice + second_only)) AS detection_low,
    wilson_high(sum(second_looks.seen_twice), sum(second_looks.seen_twice + second_only)) AS detection_high
FROM second_looks
GROUP BY sweep
