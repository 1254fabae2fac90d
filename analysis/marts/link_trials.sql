-- Question: On which systems was the rule of identity tried in each sweep, and how often was it right?
-- Grain: one row for each (sweep, is_move, earlier_likeness): systems that were alike, since these err alike.
-- Notes: is_move: a key that one address alone showed in this sweep and in the previous one, at two addresses; it hits if the rule of
--   identity made the same link. Otherwise: a link by that rule whose earlier end has such a key; it hits if the later end has it too.
--   Without likely decoys. Holds no address; a likeness is of one network, so its rows are never published.
WITH pairs AS MATERIALIZED (
    SELECT sweep, ip, earlier_ip, key, earlier_key, earlier_likeness, linked_by
    FROM system_pairs
    WHERE sweeps_between = 1 AND NOT decoy_address
),

moves AS (
    SELECT sweep, ip, earlier_ip, earlier_likeness
    FROM pairs
    WHERE linked_by = 'key'
),

judged AS (
    SELECT sweep, ip, earlier_ip, earlier_likeness, coalesce(key = earlier_key, false) AS is_right
    FROM pairs
    WHERE linked_by = 'identity' AND earlier_key IS NOT NULL
)

SELECT
    sweep,
    is_move,
    earlier_likeness,
    count(*) AS trials,
    count(*) FILTER (is_right) AS hits
FROM (
    SELECT true AS is_move, moves.*, judged.ip IS NOT NULL AS is_right
    FROM moves
    LEFT JOIN judged ON judged.sweep = moves.sweep AND judged.ip = moves.ip AND judged.earlier_ip = moves.earlier_ip
    UNION ALL
    SELECT false AS is_move, *
    FROM judged
)
GROUP BY sweep, is_move, earlier_likeness
