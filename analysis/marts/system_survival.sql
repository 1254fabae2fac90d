-- Question: Of the systems of the first sweep of a series, what share still exists by each later one, at any address?
-- Grain: one row for each sweep of a series, from its second one to the last but one.
-- Order: position
-- Notes: a system ended between the sweep that saw it last and the next one; what only the last sweep did not see may come back. All are
--   probed at the same times, so the estimate of most likelihood (Turnbull 1976) is the life table: the product of the shares that
--   did not end. Its 95 % interval is Rothman's (1978): Wilson's, with as many trials as Greenwood's variance is worth. exists_least and
--   exists_most add what false and missed links may hide (`link_errors`). Nothing is said beyond the last row.
WITH placed AS MATERIALIZED (SELECT * FROM series),

steps AS MATERIALIZED (
    SELECT placed.series, placed.position - 2 AS position, tallies.*
    FROM system_tallies AS tallies
    JOIN placed ON placed.sweep = tallies.sweep
    WHERE tallies.systems_followed > 0
),

judged AS (
    SELECT
        series.series, errors.link_recall AS recall,
        errors.link_recall_low AS recall_low, errors.link_recall_high AS recall_high,
        errors.key_moves / nullif(errors.moves_independent, 0) AS crowd,
        errors.link_precision * errors.links_independent AS hits, errors.links_independent AS trials
    FROM link_errors AS errors
    JOIN placed AS series ON series.sweep = errors.sweep
    QUALIFY series.position = max(series.position) OVER (PARTITION BY series.series)
),

erring AS (
    SELECT
        sums.series,
        coalesce(1 - wilson_low(hits / trials * scale, scale), 1) AS false_share,
        CASE
            WHEN recall_low > 0 AND without_key > 0 THEN least(
                1, crowd * (abundance_high(links / crowd, recall, recall_low, recall_high) - links / crowd) / without_key
            )
            ELSE 1
        END AS missed_share
    FROM (
        SELECT sums.*, judged.* EXCLUDE (series), trials * links / nullif(trials + links, 0) AS scale
        FROM (SELECT series, sum(steps_linked) AS links, sum(steps_without_key) AS without_key FROM steps GROUP BY series) AS sums
        JOIN judged ON judged.series = sums.series
    ) AS sums
),

factors AS (
    SELECT
        steps.*,
        sum(steps_ended / (systems_followed * (systems_followed - steps_ended))) OVER so_far AS greenwood,
        min(systems_followed) OVER so_far AS fewest,
        product(1 - steps_ended / systems_followed) OVER so_far AS exists_share,
        product(1 - least(1, (steps_ended + steps_linked * false_share) / systems_followed)) OVER so_far AS share_least,
        product(1 - (steps_ended - steps_without_key * missed_share) / systems_followed) OVER so_far AS share_most
    FROM steps
    JOIN erring ON erring.series = steps.series
    WINDOW so_far AS (PARTITION BY steps.series ORDER BY steps.position)
),

widths AS (
    SELECT *,
        CASE WHEN exists_share > 0 AND exists_share < 1 THEN (1 - exists_share) / (exists_share * greenwood) ELSE fewest END AS trials
    FROM factors
)

SELECT
    series.sweep, series.series, series.position,
    date_diff('second', begun.started_at, series.started_at) / 86400.0 AS days,
    first_value(widths.systems_followed) OVER (PARTITION BY series.series ORDER BY series.position) AS systems_first,
    widths.systems_followed, widths.steps_ended AS ended_here, widths.exists_share,
    wilson_low(widths.exists_share * widths.trials, widths.trials) AS exists_low,
    wilson_high(widths.exists_share * widths.trials, widths.trials) AS exists_high,
    wilson_low(widths.share_least * widths.trials, widths.trials) AS exists_least,
    wilson_high(widths.share_most * widths.trials, widths.trials) AS exists_most
FROM widths
JOIN placed AS series ON series.series = widths.series AND series.position = widths.position + 1
JOIN placed AS begun ON begun.series = widths.series AND begun.position = 1
