-- Question: Which share of the services persists from one sweep of a series to the next, loss taken out?
-- Grain: one row for each sweep of a series from its third on, without the last: the step that ends with it.
-- Notes: the model of Jolly and Seber over `recaptures`, with Seber's variance on the logit scale (docs/statistics.md). days is the
--   length of the step. Where nobody went, the lower end is the share with which all stay in one of forty cases.
WITH counted AS (
    SELECT
        *,
        caught - removed AS released,
        CASE
            WHEN position = 1 THEN 0.0
            WHEN position < max(position) OVER in_series
                THEN marked + (caught - removed + 1) * skipped / (again + 1)
        END AS present
    FROM recaptures
    WINDOW in_series AS (PARTITION BY series)
),

known AS (
    SELECT *, present - marked + released AS known, 1 / nullif(again, 0) - 1 / nullif(released, 0) AS lost
    FROM counted
),

steps AS (
    SELECT
        lead(sweep) OVER in_series AS sweep,
        lead(days) OVER in_series AS days,
        known,
        lead(present) OVER in_series / nullif(known, 0) AS share,
        lead((present - marked) * known / nullif(present, 0) ** 2 * lost) OVER in_series
        + (present - marked) / nullif(known, 0) * lost
        + (1 - lead(present) OVER in_series / nullif(known, 0)) / nullif(lead(present) OVER in_series, 0) AS variance
    FROM known
    WINDOW in_series AS (PARTITION BY series ORDER BY position)
),

widths AS (
    SELECT
        *,
        least(greatest(share, 1e-9), 1 - 1e-9) AS inner_share,
        1.959963984540054 * sqrt(greatest(variance, 0)) / (1 - least(greatest(share, 1e-9), 1 - 1e-9)) AS width
    FROM steps
)

SELECT
    sweep,
    days,
    least(share, 1) AS stays,
    CASE
        WHEN share >= 1 THEN 0.025 ** (1 / greatest(known, 1))
        ELSE 1 / (1 + (1 - inner_share) / inner_share * exp(width))
    END AS stays_low,
    CASE WHEN share >= 1 THEN 1.0 ELSE 1 / (1 + (1 - inner_share) / inner_share * exp(-width)) END AS stays_high
FROM widths
WHERE share IS NOT NULL AND variance IS NOT NULL
