-- Question: Of the services that CERTs were informed of, and of those that the lot made wait, how many still let anybody in at each later sweep?
-- Grain: one row for each (sweep, informed_of, recipient, notice): a sweep of the same series after the one that was handed over.
-- Notes: services are those of experiments, exposed in informed_of, by the arm that the lot gave them. present are exposed now too, of
--   these accepting let a stranger in; left_space opted out, were quarantined or left the target space, and are in no share. share
--   is present of those still in the space, with Wilson's 95 % interval. What loss misses, both arms miss alike. Not for publication
--   without a rule for small cells.
WITH lots AS (
    SELECT notices.sweep AS informed_of, notices.recipient, notices.notice, notices.ip, notices.port
    FROM notices
    SEMI JOIN exposed_2026_11 AS exposed
        ON exposed.sweep = notices.sweep AND exposed.ip = notices.ip AND exposed.port = notices.port
    WHERE notices.notice IN ('informed', 'waiting')
),

followed AS (
    SELECT lots.*, later.sweep, date_diff('second', now.started_at, later.started_at) / 86400.0 AS days
    FROM lots
    JOIN series AS now ON now.sweep = lots.informed_of
    JOIN series AS later ON later.series = now.series AND later.position > now.position
),

placed AS (
    SELECT
        followed.*,
        coalesce(followed.ip <= space.last, false) AND NOT coalesce(followed.ip <= withheld.last, false) AS inside
    FROM followed
    ASOF LEFT JOIN space ON space.sweep = followed.sweep AND followed.ip >= space.first
    ASOF LEFT JOIN withheld ON withheld.sweep = followed.sweep AND followed.ip >= withheld.first
),

counted AS (
    SELECT
        placed.sweep,
        placed.informed_of,
        placed.recipient,
        placed.notice,
        any_value(placed.days) AS days,
        count(*) AS services,
        count(*) FILTER (NOT placed.inside) AS left_space,
        count(*) FILTER (placed.inside AND seen.ip IS NOT NULL) AS present,
        count(*) FILTER (placed.inside AND seen.accepts) AS accepting
    FROM placed
    LEFT JOIN exposed_2026_11 AS seen
        ON seen.sweep = placed.sweep AND seen.ip = placed.ip AND seen.port = placed.port
    GROUP BY placed.sweep, placed.informed_of, placed.recipient, placed.notice
)

SELECT
    *,
    present / nullif(services - left_space, 0) AS share,
    wilson_low(present, services - left_space) AS share_low,
    wilson_high(present, services - left_space) AS share_high
FROM counted
