-- Question: What is the greatest number of services of which k are seen with a probability of at least 2.5 %, or fewer of them?
-- Grain: a scalar of (k, q); each is seen with probability q.
-- Notes: by halving whole numbers. k need not be one.
CREATE OR REPLACE MACRO most(k, q) AS
    greatest(
        CAST(k AS DOUBLE),
        list_reduce(
            list_transform(range(48), lambda step: {'low': ceil(k), 'high': ceil((k + 20 + 19 * sqrt(k + 20)) / q)}),
            lambda range, step: CASE
                WHEN range.low >= range.high THEN range
                WHEN floor((range.low + range.high) / 2) >= k + 1
                    AND beta_cdf(q, k + 1, floor((range.low + range.high) / 2) - k) > 0.975
                    THEN {'low': range.low, 'high': floor((range.low + range.high) / 2)}
                ELSE {'low': floor((range.low + range.high) / 2) + 1, 'high': range.high}
            END
        ).low - 1
    )
