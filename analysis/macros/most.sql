-- Question: What is the greatest number of services of which k are seen with a probability of at least 2.5 %, or fewer of them?
-- Grain: a scalar of (k, q); each is seen with probability q.
-- Notes: one fewer than the smallest of which more than k are seen with a probability of more than 97.5 %. k need not be whole.
CREATE OR REPLACE MACRO most(k, q) AS
    greatest(CAST(k AS DOUBLE), least_total(k + 1, q, 0.975) - 1)
