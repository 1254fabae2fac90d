-- Question: How small a difference between services that came and that went would the test of a change show?
-- Grain: a table of (before, now, country), country null for all together: one row, if there is one to compare.
-- Notes: by halving: the smallest difference, of as many as came and went, with a p below 0.05 whichever of them are more, by the test of
--   `services_p`. One more than all of them if none would be shown.
CREATE OR REPLACE MACRO smallest_shown(before_id, now_id, of_country) AS TABLE
    WITH RECURSIVE expected AS (
        SELECT part, weight, share, CAST(moved AS BIGINT) AS moved
        FROM expected_shares(before_id, now_id)
        WHERE CASE WHEN of_country IS NULL THEN of_all ELSE NOT of_all AND country = of_country END
    ),

    searched AS (
        SELECT DISTINCT moved, CAST(0 AS BIGINT) AS low, moved // 2 + 1 AS high
        FROM expected
        UNION ALL
        SELECT
            moved,
            CASE WHEN middle <= moved // 2 AND p < 0.05 THEN low ELSE middle + 1 END,
            CASE WHEN middle <= moved // 2 AND p < 0.05 THEN middle ELSE high END
        FROM (
            SELECT moved, low, high, middle, max(least(1.0, 2 * least(p_less, p_more))) AS p
            FROM (
                SELECT
                    halves.moved,
                    halves.low,
                    halves.high,
                    halves.middle,
                    sum(expected.weight * binomial_at_most(halves.came, halves.moved, expected.share)) AS p_less,
                    sum(expected.weight * binomial_at_least(halves.came, halves.moved, expected.share)) AS p_more
                FROM (
                    SELECT
                        moved,
                        low,
                        high,
                        (low + high) // 2 AS middle,
                        unnest([greatest(0, moved // 2 - middle), least(moved, moved - moved // 2 + middle)]) AS came
                    FROM searched
                    WHERE low < high
                ) AS halves
                JOIN expected ON expected.moved = halves.moved
                GROUP BY halves.moved, halves.low, halves.high, halves.middle, halves.came, expected.part
            )
            GROUP BY moved, low, high, middle
        )
    )

    SELECT least(moved + 1, moved % 2 + 2 * high) AS smallest_shown
    FROM searched
    WHERE low = high
