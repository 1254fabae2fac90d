-- Question: What is the smallest number of services of which k or more are seen with a probability of more than p?
-- Grain: a scalar of (k, q, p); each is seen with probability q.
-- Notes: by halving whole numbers. k need not be one.
CREATE OR REPLACE MACRO least_total(k, q, p) AS
    list_reduce(
        list_transform(range(48), lambda step: {'low': ceil(k), 'high': ceil((k + 20 + 19 * sqrt(k + 20)) / q)}),
        lambda range, step: CASE
            WHEN range.low >= range.high THEN range
            WHEN k <= 0 OR beta_cdf(q, k, floor((range.low + range.high) / 2) - k + 1) > p
                THEN {'low': range.low, 'high': floor((range.low + range.high) / 2)}
            ELSE {'low': floor((range.low + range.high) / 2) + 1, 'high': range.high}
        END
    ).low
