-- Question: What is the lower end of the 95 % interval of Chao's lower bound?
-- Grain: a scalar of (looks, f1, f2), as in `chao_missed`; 0 where the bound is 0.
-- Notes: the logarithm of the bound is taken to be normal (Chao 1987). Its variance is that of a Poisson number of missed services, and
--   that of f1 and f2 by the delta method.
CREATE OR REPLACE MACRO chao_missed_low(looks, f1, f2) AS
    CASE
        WHEN f1 <= 1 THEN 0.0
        ELSE chao_missed(looks, f1, f2) / exp(1.959963984540054 * sqrt(ln(1 + (
            chao_missed(looks, f1, f2)
            + ((looks - 1.0) / looks) ** 2 * f1 * (2.0 * f1 - 1) ** 2 / (4 * (f2 + 1.0) ** 2)
            + ((looks - 1.0) / looks) ** 2 * f2 * f1 ** 2.0 * (f1 - 1.0) ** 2 / (4 * (f2 + 1.0) ** 4)
        ) / chao_missed(looks, f1, f2) ** 2)))
    END
