-- Question: Which addresses have an exposed service, and how many of each kind?
-- Grain: one row for each (sweep, ip) with an exposed service.
-- Notes: decoys are the services for which is_decoy is true. Holds addresses: never publish its rows.
SELECT
    exposed.sweep,
    exposed.ip,
    exposed.address,
    exposed.country,
    count(*) AS services,
    count(*) FILTER (exposed.accepts) AS accepting,
    count(*) FILTER (exposed.outcome = 'echoed') AS echoed,
    count(*) FILTER (exposed.outcome = 'rejected') AS rejected,
    count(*) FILTER (exposed.outcome = 'aborted') AS aborted,
    count(*) FILTER (is_decoy(judged.suspicions)) AS decoys
FROM exposed_2026_11 AS exposed
LEFT JOIN fingerprints AS judged
    ON judged.sweep = exposed.sweep AND judged.ip = exposed.ip AND judged.port = exposed.port
GROUP BY exposed.sweep, exposed.ip, exposed.address, exposed.country
