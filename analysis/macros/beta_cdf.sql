-- Question: What is the probability that a beta variable of shape (a, b) is at most x?
-- Grain: a scalar of (x, a, b); the regularised incomplete beta function.
-- Notes: of a binomial count with n trials, the probability of k or more is beta_cdf(p, k, n - k + 1).
CREATE OR REPLACE MACRO beta_cdf(x, a, b) AS
    CASE
        WHEN x <= 0 THEN 0.0
        WHEN x >= 1 THEN 1.0
        WHEN beta_terms(x, a, b) <= beta_terms(1 - x, b, a) THEN beta_series(x, a, b)
        ELSE 1 - beta_series(1 - x, b, a)
    END
