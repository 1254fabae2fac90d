-- Question: What is the upper end of the 95 % interval of a total, of which k were seen with an estimated probability?
-- Grain: a scalar of (k, q, q_low, q_high); the estimate itself is k / q.
-- Notes: the interval of the count and that of q, joined on the logarithmic scale (Donner and Zou 2012). k need not be whole.
CREATE OR REPLACE MACRO abundance_high(k, q, q_low, q_high) AS
    CASE
        WHEN k <= 0 THEN most(0, q_low)
        WHEN q_low >= q THEN most(k, q)
        ELSE k / q * exp(sqrt(ln(most(k, q) * q / k) ** 2 + ln(q / q_low) ** 2))
    END
