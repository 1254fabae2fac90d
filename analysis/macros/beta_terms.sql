-- Question: How many terms of its series does the incomplete beta function need at x?
-- Grain: a scalar of (x, a, b).
-- Notes: the terms grow up to the first number, and fall off within the second, some eight standard deviations.
CREATE OR REPLACE MACRO beta_terms(x, a, b) AS
    40 + greatest(0, (a + b) * x - a) / (1 - x) + 8 * sqrt(a + (a + b) * x) / (1 - x)
