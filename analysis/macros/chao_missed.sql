-- Question: How many services did all looks miss at least, if exactly one saw f1 and exactly two saw f2 of them?
-- Grain: a scalar of (looks, f1, f2).
-- Notes: Chao's lower bound (1987), bias-corrected: f1 (f1 - 1) / 2 (f2 + 1), times (looks - 1) / looks. Each service may have its own chance
--   of being seen; the more these differ, the more of them the bound leaves out.
CREATE OR REPLACE MACRO chao_missed(looks, f1, f2) AS
    (looks - 1.0) / looks * f1 * greatest(0.0, f1 - 1.0) / (2.0 * (f2 + 1.0))
