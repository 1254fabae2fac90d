-- Question: How many services answered in each sweep, with what belongs to the count?
-- Grain: one row for each sweep; series is null for a sweep that may be compared with none (sampled, or not enriched).
-- Order: started_at, sweep
-- Notes: counts of two sweeps may be set against each other within one series only; another method counts other things.
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
    totals.services_estimated
FROM sweeps
LEFT JOIN series ON series.sweep = sweeps.sweep
LEFT JOIN totals ON totals.sweep = sweeps.sweep
