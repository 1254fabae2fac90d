-- Question: What is the lower end of the 95 % interval of Chapman's estimate?
-- Grain: a scalar of (first, second, both); null if nothing was seen by both.
-- Notes: the larger look, and what the other one lets expect that it missed; never above the estimate.
CREATE OR REPLACE MACRO chapman_low(n, m, both_saw) AS
    CASE
        WHEN both_saw > 0
            THEN least(
                chapman(n, m, both_saw),
                greatest(n, m) + abundance_low(
                    least(n, m) - both_saw, both_saw / greatest(n, m), share_low(both_saw, greatest(n, m)),
                    share_high(both_saw, greatest(n, m))
                )
            )
    END
