-- Question: What is the lower end of the 95 % interval of a share, given k of n?
-- Grain: a scalar of (k, n).
-- Notes: Wilson 1927, z = 1.959964; null without trials. There is no correction for a finite population, so it is slightly too wide.
CREATE OR REPLACE MACRO wilson_low(k, n) AS
    CASE
        WHEN n > 0 AND k <= 0 THEN 0.0
        WHEN n > 0
            THEN (
                k + 1.92072944 - 1.959964 * sqrt(
                    greatest(0, CAST(k AS DOUBLE) * (CAST(n AS DOUBLE) - k) / n) + 0.96036472
                )
            ) / (n + 3.84145888)
    END
