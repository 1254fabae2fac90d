-- Question: How many services answered in each sweep, and which sweeps are comparable?
-- Grain: one row for each sweep; series is null for a sweep that is comparable with none (sampled, by a focus, or not enriched).
-- Order: started_at, sweep
-- Notes: compare counts of two sweeps only within one series; another method counts something else. services less decoys is the headline.
SELECT
    sweeps.sweep,
    sweeps.name,
    sweeps.started_at,
    series.series,
    series.position,
    sweeps.sampled_share,
    totals.services,
    totals.addresses,
    totals.countries,
    totals.accepting,
    totals.services_estimated,
    totals.decoys
FROM sweeps
LEFT JOIN series ON series.sweep = sweeps.sweep
LEFT JOIN totals ON totals.sweep = sweeps.sweep
