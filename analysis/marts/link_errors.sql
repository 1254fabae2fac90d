-- Question: How often does the rule that recognises systems by identity err, judged by systems whose certificate keys show the truth?
-- Grain: one row for each sweep of a series, from its second one on.
-- Order: position
-- Notes: from all trials (`link_trials`) of the series up to the sweep, without likely decoys. key_moves: a key that one address alone showed
--   in both sweeps, at two addresses; key_moves_linked: the rule of identity, which does not see keys, made the same link. links_judged: links
--   by that rule whose earlier end has such a key; links_right: the later end has it too. Systems of a network that are alike err alike, and
--   so does each every week: moves_independent and links_independent are what remains if those count as one (Kish 1965), and
--   Wilson's intervals are by them. That systems without a key are linked as well is an assumption.
WITH placed AS MATERIALIZED (
    SELECT * FROM series
),

cumulated AS (
    SELECT
        placed.series,
        placed.position,
        tried.is_move,
        tried.trials,
        tried.hits,
        sum(tried.trials) OVER (PARTITION BY placed.series, tried.is_move, tried.earlier_likeness ORDER BY placed.position) AS alike
    FROM link_trials AS tried
    JOIN placed ON placed.sweep = tried.sweep
),

added AS (
    SELECT
        series,
        position,
        sum(trials) FILTER (is_move) AS moves,
        sum(hits) FILTER (is_move) AS moves_linked,
        sum(alike ** 2 - (alike - trials) ** 2) FILTER (is_move) AS moves_squared,
        sum(trials) FILTER (NOT is_move) AS judged,
        sum(hits) FILTER (NOT is_move) AS judged_right,
        sum(alike ** 2 - (alike - trials) ** 2) FILTER (NOT is_move) AS judged_squared
    FROM cumulated
    GROUP BY series, position
),

counted AS (
    SELECT
        placed.sweep,
        coalesce(sum(added.moves) OVER so_far, 0) AS key_moves,
        coalesce(sum(added.moves_linked) OVER so_far, 0) AS key_moves_linked,
        coalesce(key_moves ** 2 / sum(added.moves_squared) OVER so_far, 0) AS moves_independent,
        coalesce(sum(added.judged) OVER so_far, 0) AS links_judged,
        coalesce(sum(added.judged_right) OVER so_far, 0) AS links_right,
        coalesce(links_judged ** 2 / sum(added.judged_squared) OVER so_far, 0) AS links_independent
    FROM placed
    LEFT JOIN added ON added.series = placed.series AND added.position = placed.position
    WINDOW so_far AS (PARTITION BY placed.series ORDER BY placed.position)
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
FROM placed AS series
JOIN counted ON counted.sweep = series.sweep
WHERE series.position > 1
