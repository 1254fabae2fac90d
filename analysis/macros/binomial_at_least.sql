-- Question: What is the probability of k or more successes in n trials?
-- Grain: a scalar of (k, n, p), k at most n.
-- Notes: exact; n need not be whole.
CREATE OR REPLACE MACRO binomial_at_least(k, n, p) AS
    CASE WHEN k <= 0 THEN 1.0 ELSE beta_cdf(p, k * 1.0, n - k + 1.0) END
