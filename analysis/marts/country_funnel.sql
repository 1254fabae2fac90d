-- Question: How many targets of each country pass each step from a probe to an answered C-ECHO?
-- Grain: one row for each (sweep, country, step), steps numbered from 1, as in `funnel`.
-- Order: country, position
-- Notes: probed is the country's part of the space times sampled share and ports: what was to be probed, since receipts do not count
--   by country. The other steps add up to those of `funnel`. echoes is null where the sweep's profile sends no C-ECHO.
WITH space AS (
    SELECT
        coverage.sweep,
        coverage.country,
        CAST(round(coverage.addresses * coalesce(sweeps.sampled_share, 1) * len(sweeps.ports)) AS BIGINT) AS probed,
        asks_echo(sweeps.profile) AS asks_echo
    FROM coverage
    JOIN sweeps ON sweeps.sweep = coverage.sweep
    WHERE coverage.addresses > 0
),

answered AS (
    SELECT
        sweep,
        country,
        count(*) AS responsive,
        count(*) FILTER (accepts_data(outcome)) AS accepts_data,
        count(*) FILTER (speaks_dicom(outcome)) AS speaks_dicom,
        count(*) FILTER (accepts(outcome)) AS accepts_association,
        count(*) FILTER (outcome = 'echoed') AS echoes
    FROM last_outcomes
    GROUP BY sweep, country
),

steps AS (
    SELECT
        space.sweep,
        space.country,
        unnest(['probed', 'responsive', 'accepts_data', 'speaks_dicom', 'accepts_association', 'echoes']) AS step,
        unnest([
            space.probed,
            coalesce(answered.responsive, 0),
            coalesce(answered.accepts_data, 0),
            coalesce(answered.speaks_dicom, 0),
            coalesce(answered.accepts_association, 0),
            CASE WHEN space.asks_echo THEN coalesce(answered.echoes, 0) END
        ]) AS targets,
        unnest(range(1, 7)) AS position
    FROM space
    LEFT JOIN answered ON answered.sweep = space.sweep AND answered.country IS NOT DISTINCT FROM space.country
)

SELECT sweep, country, position, step, targets
FROM steps
