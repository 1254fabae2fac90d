-- Question: Which value does a beta variable of shape (a, b) not exceed with this probability?
-- Grain: a scalar of (probability, a, b).
-- Notes: by halving, from an interval that Chebyshev's inequality gives.
CREATE OR REPLACE MACRO beta_quantile(probability, a, b) AS
    list_reduce(
        list_transform(
            range(48),
            lambda step: {
                'low': greatest(
                    0.0, a / (a + b) - sqrt(a * b / (a + b + 1) / least(probability, 1 - probability)) / (a + b)
                ),
                'high': least(
                    1.0, a / (a + b) + sqrt(a * b / (a + b + 1) / least(probability, 1 - probability)) / (a + b)
                )
            }
        ),
        lambda range, step: CASE
            WHEN beta_cdf((range.low + range.high) / 2, a, b) > probability
                THEN {'low': range.low, 'high': (range.low + range.high) / 2}
            ELSE {'low': (range.low + range.high) / 2, 'high': range.high}
        END
    ).high
