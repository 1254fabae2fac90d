-- Question: What is the lower end of the 95 % interval of a total, of which a sample of this share has k?
-- Grain: a scalar of (k, share); k itself if the share is 1.
-- Notes: the totals for which k is not too large, with a correction for continuity (score test, z = 1.959964). It knows that the
--   population is finite: the nearer the share is to 1, the narrower it is, and it is never below k.
CREATE OR REPLACE MACRO whole_low(k, share) AS
    CASE
        WHEN k <= 0 OR share >= 1 THEN CAST(k AS DOUBLE)
        ELSE
            greatest(
                k, (
                    2 * k - 1 + 3.84145888 * (1 - share) - sqrt(
                        greatest(0, 3.84145888 * (1 - share) * (4 * k - 2 + 3.84145888 * (1 - share)))
                    )
                ) / (2 * share)
            )
    END
