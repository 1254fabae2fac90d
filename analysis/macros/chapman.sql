-- Question: How many services are there, if two looks saw n and m of them, and both saw k?
-- Grain: a scalar of (n, m, k).
-- Notes: Chapman 1951; the looks must be independent. Its interval is that of chapman_low and chapman_high.
CREATE OR REPLACE MACRO chapman(n, m, k) AS
    (n + 1.0) * (m + 1.0) / (k + 1.0) - 1.0
