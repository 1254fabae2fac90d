-- Question: Which chance do looks allow, at a number of standard errors from what they show?
-- Grain: a scalar of (kept, looks, standard_errors): kept of the looks found what was there.
-- Notes: the end of Wilson's interval (1927) with this z.
CREATE OR REPLACE MACRO look_end(kept, looks, standard_errors) AS
    least(1.0, greatest(1e-9, (
        kept + standard_errors ** 2 / 2
        + standard_errors * sqrt(kept * (looks - kept) / looks + standard_errors ** 2 / 4)
    ) / (looks + standard_errors ** 2)))
