-- Question: Which sweeps are sealed, and what did they do?
-- Grain: one row for each sweep.
-- Notes: totals equal those of the receipts (checks/sweep_totals_differ). sampled_share is the part of the target space that was
--   visited, a uniform random sample of its addresses; counts divided by it estimate the whole. It is null for a focus sweep, which
--   is not a uniform sample: `focus_totals` has its estimates.
SELECT
    sweep,
    * EXCLUDE (sweep),
    CASE WHEN focus IS NULL THEN sampled_addresses / nullif(addresses, 0) END AS sampled_share
FROM raw_sweeps
