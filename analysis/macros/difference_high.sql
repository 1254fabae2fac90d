-- Question: What is the upper end of the interval of a difference of two shares, k in n less base_k in base_n?
-- Grain: a scalar of (k, n, base_k, base_n, miss), miss 0.05 for a 95 % interval; null if n or base_n is 0.
-- Notes: root sum of squares of the two exact intervals (Newcombe 1998, method 10, with the ends of Clopper and Pearson).
CREATE OR REPLACE MACRO difference_high(k, n, base_k, base_n, miss) AS
    least(1.0, k / n - base_k / base_n + sqrt(
        (exact_high(k, n, miss) - k / n) ** 2 + (base_k / base_n - exact_low(base_k, base_n, miss)) ** 2
    ))
