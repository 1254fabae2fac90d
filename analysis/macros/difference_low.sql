-- Question: What is the lower end of the interval of a difference of two shares, k in n less base_k in base_n?
-- Grain: a scalar of (k, n, base_k, base_n, miss), miss 0.05 for a 95 % interval; null if n or base_n is 0.
-- Notes: root sum of squares of the two exact intervals (Newcombe 1998, method 10, with the ends of Clopper and Pearson).
CREATE OR REPLACE MACRO difference_low(k, n, base_k, base_n, miss) AS
    greatest(-1.0, k / n - base_k / base_n - sqrt(
        (k / n - exact_low(k, n, miss)) ** 2 + (exact_high(base_k, base_n, miss) - base_k / base_n) ** 2
    ))
