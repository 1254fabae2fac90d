-- Question: What is the smallest number of services of which k are seen with a probability of more than 2.5 %, or more of them?
-- Grain: a scalar of (k, q); each is seen with probability q.
-- Notes: k need not be whole.
CREATE OR REPLACE MACRO fewest(k, q) AS
    greatest(CAST(k AS DOUBLE), least_total(k, q, 0.025))
