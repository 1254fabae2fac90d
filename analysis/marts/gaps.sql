-- Question: How long after its last answer did each service that stayed answer again?
-- Grain: one row for each sweep of a series, from its second one on.
-- Notes: days is from start to start. gap_low, gap_median and gap_high are the 5th, 50th and 95th percentile of the days between the two
--   answers of the same service: they differ where the target space changed, since then the order of targets is another one.
SELECT
    series.sweep,
    series.series,
    series.previous,
    series.days,
    count(*) AS stayed,
    quantile_cont(epoch(now.answered_at) - epoch(earlier.answered_at), 0.05) / 86400 AS gap_low,
    quantile_cont(epoch(now.answered_at) - epoch(earlier.answered_at), 0.5) / 86400 AS gap_median,
    quantile_cont(epoch(now.answered_at) - epoch(earlier.answered_at), 0.95) / 86400 AS gap_high
FROM series
JOIN exposed_2026_11 AS exposed ON exposed.sweep = series.sweep
JOIN responses AS now ON now.sweep = exposed.sweep AND now.ip = exposed.ip AND now.port = exposed.port
JOIN responses AS earlier ON earlier.sweep = series.previous AND earlier.ip = exposed.ip AND earlier.port = exposed.port
SEMI JOIN exposed_2026_11 AS again
    ON again.sweep = series.previous AND again.ip = exposed.ip AND again.port = exposed.port
GROUP BY series.sweep, series.series, series.previous, series.days
