-- Question: What of the table of cohorts follows from its counts?
-- Grain: as the table.
-- Notes: Wilson's interval.
SELECT cohorts.* REPLACE (
    answered / cohort AS share,
    wilson_low(answered, cohort) AS share_low,
    wilson_high(answered, cohort) AS share_high
)
FROM cohorts
