-- Question: What is the lower end of the exact 95 % interval of a share, of k in n?
-- Grain: a scalar of (k, n); null if n is 0.
-- Notes: Clopper and Pearson (1934).
CREATE OR REPLACE MACRO share_low(k, n) AS
    CASE WHEN n <= 0 THEN NULL WHEN k <= 0 THEN 0.0 ELSE beta_quantile(0.025, k * 1.0, n - k + 1.0) END
