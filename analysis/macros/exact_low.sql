-- Question: What is the lower end of the exact interval of a share, of k in n, that misses with a given probability?
-- Grain: a scalar of (k, n, miss), miss 0.05 for a 95 % interval; null if n is 0.
-- Notes: Clopper and Pearson (1934); share_low is the 95 % interval.
CREATE OR REPLACE MACRO exact_low(k, n, miss) AS
    CASE WHEN n <= 0 THEN NULL WHEN k <= 0 THEN 0.0 ELSE beta_quantile(miss / 2, k * 1.0, n - k + 1.0) END
