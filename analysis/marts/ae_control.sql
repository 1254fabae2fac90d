-- Question: How many services per country accept an unknown client's AE titles, and how many check them?
-- Grain: one row for each (sweep, country) with an exposed service.
-- Order: services DESC, country
-- Notes: our request calls ANY-SCP and uses our own calling title; no title is guessed. accepting: the association was accepted;
--   rejected_called and rejected_calling: PS3.8 Table 9-21, source 1, reason 7 and 3; some products give another reason for the
--   same check, which is in rejected_otherwise. open_share is the share of all exposed services, with
--   Wilson's 95 % interval: what so few services say of the country's others.
SELECT
    sweep,
    country,
    count(*) AS services,
    count(*) FILTER (accepts) AS accepting,
    count(*) FILTER (outcome = 'rejected' AND rj_source = 1 AND rj_reason = 7) AS rejected_called,
    count(*) FILTER (outcome = 'rejected' AND rj_source = 1 AND rj_reason = 3) AS rejected_calling,
    count(*) FILTER (outcome = 'rejected') - rejected_called - rejected_calling AS rejected_otherwise,
    count(*) FILTER (outcome = 'aborted') AS aborted,
    accepting / count(*) AS open_share,
    wilson_low(accepting, count(*)) AS open_share_low,
    wilson_high(accepting, count(*)) AS open_share_high,
    accepting AS anyone
FROM exposed_2026_11
GROUP BY sweep, country
