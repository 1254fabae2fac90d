-- Question: How often does a sweep see what is there, by its second look?
-- Grain: one row for each sweep that looked twice.
-- Order: sweep
-- Notes: detection is the share of the second look's answers that the first look had too (Petersen); its interval here is
--   Wilson's. It tells transient loss only, and takes the vantages together. seen_twice and seen_second are its counts.
SELECT
    sweep,
    CAST(sum(second_looks.seen_twice) AS BIGINT) AS seen_twice,
    CAST(sum(second_looks.seen_twice + second_only) AS BIGINT) AS seen_second,
    sum(second_looks.seen_twice) / nullif(sum(second_looks.seen_twice + second_only), 0) AS detection,
    wilson_low(sum(second_looks.seen_twice), sum(second_looks.seen_twice + second_only)) AS detection_low,
    wilson_high(sum(second_looks.seen_twice), sum(second_looks.seen_twice + second_only)) AS detection_high
FROM second_looks
GROUP BY sweep
