-- Question: What is the probability of k or fewer successes in n trials?
-- Grain: a scalar of (k, n, p), k at most n.
-- Notes: exact; n need not be whole.
CREATE OR REPLACE MACRO binomial_at_most(k, n, p) AS
    CASE WHEN k >= n THEN 1.0 ELSE 1 - beta_cdf(p, k + 1.0, n - k * 1.0) END
