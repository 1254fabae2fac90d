-- Question: How probable is so large a sum of net changes of networks, if each had its sign by chance?
-- Grain: a scalar of a list of whole numbers, none of them 0; 1 if it is empty.
-- Notes: exact: the inverse Fourier transform of the product of cosines, one for each network (docs/statistics.md).
CREATE OR REPLACE MACRO sign_flip(net) AS
    CASE
        WHEN coalesce(list_sum(net), 0) = 0 THEN 1.0
        ELSE list_transform(
            [{'points': 2 * list_sum(list_transform(net, lambda d: abs(d))) + 1, 'seen': abs(list_sum(net))}],
            lambda s: least(1.0, greatest(2.0 ** (1 - len(net)), list_sum(
                list_transform(
                    range(CAST(s.points AS BIGINT)),
                    lambda j: list_product(list_transform(net, lambda d: cos(2 * pi() * j * d / s.points)))
                    * CASE
                        WHEN j = 0 THEN s.points + 1 - 2 * s.seen
                        ELSE -sin(pi() * j * (2 * s.seen - 1) / s.points) / sin(pi() * j / s.points)
                    END
                )
            ) / s.points))
        )[1]
    END
