-- Question: How many services per country are new, stayed, returned, missing or gone since the previous sweep?
-- Grain: one row for each (sweep, country) of a series, from its second sweep on, with a service in either.
-- Order: stayed + new + returned + missing DESC, country
-- Notes: as defined in `transitions`. Change is tested on discordant pairs: new and returned against missing. gone needs absence in
--   two sweeps, so it counts services that went missing in the previous sweep and did not return; entered, left_space and
--   withheld are not changes of a service. missing includes services hidden by packet loss; docs/statistics.md says how loss is removed.
SELECT
    sweep,
    country,
    count(*) FILTER (transition = 'stayed') AS stayed,
    count(*) FILTER (transition = 'new') AS new,
    count(*) FILTER (transition = 'returned') AS returned,
    count(*) FILTER (transition = 'entered') AS entered,
    count(*) FILTER (transition = 'missing') AS missing,
    count(*) FILTER (transition = 'gone') AS gone,
    count(*) FILTER (transition = 'left') AS left_space,
    count(*) FILTER (transition = 'withheld') AS withheld
FROM transitions
GROUP BY sweep, country
