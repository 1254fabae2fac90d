-- Question: Which ranges are done, and what was counted in each?
-- Grain: one row for each (sweep, shard, range).
-- Notes: counts include discarded packets, so that tables reconcile with them to the row.
SELECT sweep, * EXCLUDE (sweep)
FROM raw_receipts
