-- Question: What is the upper end of the exact 95 % interval of a share, of k in n?
-- Grain: a scalar of (k, n); null if n is 0.
-- Notes: Clopper and Pearson (1934).
CREATE OR REPLACE MACRO share_high(k, n) AS
    exact_high(k, n, 0.05)
