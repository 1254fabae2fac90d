-- Question: How often does the rule that recognises systems by identity err, judged by systems whose certificate keys show the truth?
-- Grain: one row for each sweep of a series, from its second one on.
-- Order: position
-- Notes: from all steps of the series up to the sweep, without likely decoys. key_moves: a key that one address alone showed in both sweeps, at
--   two addresses; key_moves_linked: the rule of identity, which does not see keys, made the same link. links_judged: links by that rule
--   whose earlier end has such a key; links_right: the later end has it too. Systems of a network that are alike err alike, and
--   so does each every week: moves_independent and links_independent are what remains if those count as one (Kish 1965), and
--   Wilson's intervals are by them. That systems without a key are linked as well is an assumption.
WITH moves AS (
    SELECT series, position, ip, earlier_ip, earlier_likeness
    FROM system_pairs
    WHERE linked_by = 'key' AND sweeps_between = 1 AND NOT decoy_address
),

judged AS (
    SELECT series, position, ip, earlier_ip, earlier_likeness, coalesce(key = earlier_key, false) AS is_right
    FROM system_pairs
    WHERE linked_by = 'identity' AND sweeps_between = 1 AND earlier_key IS NOT NULL AND NOT decoy_address
),

moved AS (
    SELECT moves.*, judged.ip IS NOT NULL AS is_right
    FROM moves
    LEFT JOIN judged
        ON judged.series = moves.series
        AND judged.position = moves.position
        AND judged.ip = moves.ip
        AND judged.earlier_ip = moves.earlier_ip
),

alike AS (
    SELECT series.sweep, trials.is_move, trials.earlier_likeness, count(*) AS trials, count(*) FILTER (trials.is_right) AS hits
    FROM series
    JOIN (
        SELECT true AS is_move, * FROM moved
        UNION ALL
        SELECT false AS is_move, * FROM judged
    ) AS trials
        ON trials.series = series.series AND trials.position <= series.position
    GROUP BY series.sweep, trials.is_move, trials.earlier_likeness
),

counted AS (
    SELECT
        sweep,
        coalesce(sum(trials) FILTER (is_move), 0) AS key_moves,
        coalesce(sum(hits) FILTER (is_move), 0) AS key_moves_linked,
        coalesce(key_moves ** 2 / sum(trials ** 2) FILTER (is_move), 0) AS moves_independent,
        coalesce(sum(trials) FILTER (NOT is_move), 0) AS links_judged,
        coalesce(sum(hits) FILTER (NOT is_move), 0) AS links_right,
        coalesce(links_judged ** 2 / sum(trials ** 2) FILTER (NOT is_move), 0) AS links_independent
    FROM alike
    GROUP BY sweep
)

SELECT
    series.sweep,
    series.series,
    series.position,
    CAST(coalesce(counted.key_moves, 0) AS BIGINT) AS key_moves,
    CAST(coalesce(counted.key_moves_linked, 0) AS BIGINT) AS key_moves_linked,
    coalesce(counted.moves_independent, 0.0) AS moves_independent,
    counted.key_moves_linked / nullif(counted.key_moves, 0) AS link_recall,
    wilson_low(link_recall * counted.moves_independent, counted.moves_independent) AS link_recall_low,
    wilson_high(link_recall * counted.moves_independent, counted.moves_independent) AS link_recall_high,
    CAST(coalesce(counted.links_judged, 0) AS BIGINT) AS links_judged,
    CAST(coalesce(counted.links_right, 0) AS BIGINT) AS links_right,
    coalesce(counted.links_independent, 0.0) AS links_independent,
    counted.links_right / nullif(counted.links_judged, 0) AS link_precision,
    wilson_low(link_precision * counted.links_independent, counted.links_independent) AS link_precision_low,
    wilson_high(link_precision * counted.links_independent, counted.links_independent) AS link_precision_high
FROM series
LEFT JOIN counted ON counted.sweep = series.sweep
WHERE series.position > 1
