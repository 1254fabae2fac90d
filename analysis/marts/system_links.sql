-- Question: At which address was each system before?
-- Grain: one row for each (sweep, ip) of a series that is linked to an earlier sweep.
-- Notes: of the pairs of `system_pairs` one for each sighting: rather the previous sweep than the one before it, and rather by key than by
--   address. The rule of identity links only systems of which neither shows a key of its own. At most one sighting follows another
--   one. An address that another system got is taken for the same system, unless a key says otherwise. Holds addresses: never publish.
WITH ranked AS (
    SELECT
        *,
        10 * sweeps_between + CASE linked_by WHEN 'key' THEN 1 WHEN 'address' THEN 2 ELSE 3 END AS rank_of_pair
    FROM system_pairs
    WHERE linked_by <> 'identity' OR (key IS NULL AND earlier_key IS NULL)
)

SELECT * EXCLUDE (key, earlier_key, earlier_likeness, rank_of_pair)
FROM ranked
QUALIFY
    rank_of_pair = min(rank_of_pair) OVER (PARTITION BY sweep, ip)
    AND rank_of_pair = min(rank_of_pair) OVER (PARTITION BY earlier_sweep, earlier_ip)
