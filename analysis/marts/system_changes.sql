-- Question: Which systems of each sweep stayed at their address, moved or are new, how many ended, and how sure is that?
-- Grain: one row for each sweep of a series, from its second one on.
-- Order: position
-- Notes: without likely decoys. systems is the sum of the next five; the others are those of `system_endings`, about systems of two sweeps
--   ago. Links are those of `system_links`; how often they err, `link_errors` says. ended_low and ended_high take both errors out.
SELECT
    series.sweep,
    series.series,
    series.position,
    series.previous,
    series.days,
    tallies.systems,
    tallies.systems_stayed,
    tallies.systems_moved_key,
    tallies.systems_moved_identity,
    tallies.systems_new,
    tallies.systems_entered,
    endings.* EXCLUDE (sweep)
FROM series
JOIN system_tallies AS tallies ON tallies.sweep = series.sweep
LEFT JOIN system_endings AS endings ON endings.sweep = series.sweep
