-- Question: What is the upper end of the 95 % interval of a stratum's total, if a sample of its /24s with this share has k?
-- Grain: a scalar of (k, each, share); k itself if the share is 1.
-- Notes: as drawn_low; also for k = 0.
CREATE OR REPLACE MACRO drawn_high(k, each, share) AS
    CASE
        WHEN share >= 1 THEN CAST(k AS DOUBLE)
        ELSE
            (
                2 * k + 3.84145888 * (1 - share) * each
                + sqrt(3.84145888 * (1 - share) * each * (4 * k + 3.84145888 * (1 - share) * each))
            ) / (2 * share)
    END
