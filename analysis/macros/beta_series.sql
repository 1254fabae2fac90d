-- Question: What is the probability that a beta variable is at most x, by its series in x?
-- Grain: a scalar of (x, a, b), x between 0 and 1 and neither of them.
-- Notes: NIST's Digital Library of Mathematical Functions, 8.17.8. `beta_cdf` takes the side on which it is short.
CREATE OR REPLACE MACRO beta_series(x, a, b) AS
    exp(lgamma(a + b) - lgamma(a + 1) - lgamma(b) + a * ln(x) + b * ln(1 - x)) * list_sum(
        list_transform(
            range(CAST(ceil(beta_terms(x, a, b)) AS BIGINT)),
            lambda n: exp(lgamma(a + b + n) - lgamma(a + b) - lgamma(a + 1 + n) + lgamma(a + 1) + n * ln(x))
        )
    )
