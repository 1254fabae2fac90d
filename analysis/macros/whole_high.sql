-- Question: What is the upper end of the 95 % interval of a total, of which a sample of this share has k?
-- Grain: a scalar of (k, share); k itself if the share is 1.
-- Notes: the totals for which k is not too small (score test, z = 1.959964), in a finite population; also for k = 0, rounded up to a whole number.
CREATE OR REPLACE MACRO whole_high(k, share) AS
    CASE
        WHEN share >= 1 THEN CAST(k AS DOUBLE)
        ELSE
            ceil(
                (
                    2 * k + 3.84145888 * (1 - share)
                    + sqrt(3.84145888 * (1 - share) * (4 * k + 3.84145888 * (1 - share)))
                ) / (2 * share)
            )
    END
