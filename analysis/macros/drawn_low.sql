-- Question: What is the lower end of the 95 % interval of a stratum's total, if a sample of its /24s with this share has k?
-- Grain: a scalar of (k, each, share); k itself if the share is 1.
-- Notes: score test (z = 1.959964) of a count that is as many times smaller as the services of a /24 crowd together: each is the sum of
--   the squared counts of /24s over the sum of the counts (Rao and Scott 1992). It is never below k. Without a correction for
--   continuity, since the services of a /24 come together.
CREATE OR REPLACE MACRO drawn_low(k, each, share) AS
    CASE
        WHEN k <= 0 OR share >= 1 THEN CAST(k AS DOUBLE)
        ELSE
            greatest(
                k, (
                    2 * k + 3.84145888 * (1 - share) * each
                    - sqrt(3.84145888 * (1 - share) * each * (4 * k + 3.84145888 * (1 - share) * each))
                ) / (2 * share)
            )
    END
