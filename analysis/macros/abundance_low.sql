-- Question: What is the lower end of the 95 % interval of a total, of which k were seen with an estimated probability?
-- Grain: a scalar of (k, q, q_low, q_high); the estimate itself is k / q.
-- Notes: the interval of the count and that of q, joined on the logarithmic scale (Donner and Zou 2012). k need not be whole.
CREATE OR REPLACE MACRO abundance_low(k, q, q_low, q_high) AS
    CASE
        WHEN k <= 0 THEN 0.0
        WHEN q_high <= q THEN fewest(k, q)
        ELSE greatest(k, k / q * exp(-sqrt(ln(k / q / fewest(k, q)) ** 2 + ln(q_high / q) ** 2)))
    END
