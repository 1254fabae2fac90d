-- Question: What is the upper end of the 95 % interval of Chapman's estimate?
-- Grain: a scalar of (first, second, both); null if nothing was seen by both.
-- Notes: the larger look, and what the other one lets expect that it missed; never below the estimate.
CREATE OR REPLACE MACRO chapman_high(n, m, both_saw) AS
    CASE
        WHEN both_saw > 0
            THEN greatest(
                chapman(n, m, both_saw),
                greatest(n, m) + abundance_high(
                    least(n, m) - both_saw, both_saw / greatest(n, m), share_low(both_saw, greatest(n, m)),
                    share_high(both_saw, greatest(n, m))
                )
            )
    END
