-- Question: How many services of each country are new, stayed, returned, went missing or are gone since the sweep before?
-- Grain: one row for each (sweep, country) of a series, from its second sweep on, where a service was or is.
-- Order: stayed + new + returned + missing DESC, country
-- Notes: fates as in `fates`. Change is tested on discordant pairs: new and returned against missing. gone needs two
--   sweeps' absence, so it tells what went missing in the sweep before and did not come back; entered and left_space are
--   no change of a service. Missing are counted, loss and all; what loss makes of them is in docs/statistics.md.
SELECT
    sweep,
    country,
    count(*) FILTER (fate = 'stayed') AS stayed,
    count(*) FILTER (fate = 'new') AS new,
    count(*) FILTER (fate = 'returned') AS returned,
    count(*) FILTER (fate = 'entered') AS entered,
    count(*) FILTER (fate = 'missing') AS missing,
    count(*) FILTER (fate = 'gone') AS gone,
    count(*) FILTER (fate = 'left') AS left_space
FROM fates
GROUP BY sweep, country
