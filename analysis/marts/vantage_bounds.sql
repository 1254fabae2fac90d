-- Question: How many services were there at least, by three or more vantages that probed within an hour?
-- Grain: one row for each sweep with which at least two other vantages began the same method within an hour after it.
-- Order: sweep
-- Notes: complete sweeps of one target space, as in `vantages`. places counts the vantages. seen_any are services that any of them saw,
--   seen_once those that exactly one saw, seen_by_two those that exactly two saw. bound is Chao's lower bound of all (`chao_missed`), bound_low
--   the lower end of its 95 % interval: that many there were at least, and more where some answer few vantages. Services of a network are
--   missed together, so their counts say as much as counts that are design_effect times smaller (Rao and Scott 1992).
WITH nearby AS (
    SELECT first.sweep, other.sweep AS other
    FROM sweeps AS first
    JOIN methods AS first_method ON first_method.sweep = first.sweep
    JOIN methods AS other_method
        ON other_method.method_digest = first_method.method_digest
        AND other_method.space_digest = first_method.space_digest
    JOIN sweeps AS other ON other.sweep = other_method.sweep
    WHERE (first.started_at, first.sweep) <= (other.started_at, other.sweep)
        AND first.sampled_share = 1 AND other.sampled_share = 1
        AND first.visibility_of IS NULL AND other.visibility_of IS NULL
        AND (first.sweep = other.sweep OR len(list_intersect(first.vantages, other.vantages)) = 0)
        AND other.started_at <= first.started_at + INTERVAL 1 HOUR
    QUALIFY row_number() OVER (PARTITION BY first.sweep, list_sort(other.vantages) ORDER BY other.started_at, other.sweep) = 1
),

joint AS (
    SELECT sweep, count(*) AS places
    FROM nearby
    GROUP BY sweep
    HAVING count(*) >= 3
),

seen AS (
    SELECT
        nearby.sweep,
        exposed.ip,
        exposed.port,
        network_of(any_value(exposed.asn), exposed.ip) AS network,
        count(*) AS times
    FROM nearby
    SEMI JOIN joint ON joint.sweep = nearby.sweep
    JOIN exposed_2026_11 AS exposed ON exposed.sweep = nearby.other
    GROUP BY nearby.sweep, exposed.ip, exposed.port
),

networks AS (
    SELECT sweep, network, count(*) AS every, count(*) FILTER (times = 1) AS once, count(*) FILTER (times = 2) AS by_two
    FROM seen
    GROUP BY sweep, network
),

sloped AS (
    SELECT
        joint.sweep,
        joint.places,
        coalesce(sum(every), 0) AS seen_any,
        coalesce(sum(once), 0) AS seen_once,
        coalesce(sum(by_two), 0) AS seen_by_two,
        (2 * seen_once - 1) / (2 * (seen_by_two + 1)) AS by_once,
        -seen_once * (seen_once - 1) / (2 * (seen_by_two + 1) ** 2) AS by_by_two,
        by_once ** 2 * sum(once ** 2) + 2 * by_once * by_by_two * sum(once * by_two) + by_by_two ** 2 * sum(by_two ** 2) AS of_networks,
        greatest(1, coalesce(of_networks / nullif(by_once ** 2 * seen_once + by_by_two ** 2 * seen_by_two, 0), 1)) AS design_effect
    FROM joint
    LEFT JOIN networks ON networks.sweep = joint.sweep
    GROUP BY joint.sweep, joint.places
)

SELECT
    sweep,
    places,
    CAST(COLUMNS('^seen_') AS BIGINT),
    design_effect,
    seen_any + design_effect * chao_missed(places, seen_once / design_effect, seen_by_two / design_effect) AS bound,
    CAST(seen_any + floor(
        design_effect * floor(chao_missed_low(places, seen_once / design_effect, seen_by_two / design_effect))
    ) AS BIGINT) AS bound_low
FROM sloped
