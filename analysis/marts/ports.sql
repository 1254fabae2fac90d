-- Question: How many DICOM services answer on each port in each country?
-- Grain: one row for each (sweep, country, port) with a target that answered our SYN.
-- Order: services DESC, responsive DESC, country, port
-- Notes: responsive counts every SYN-ACK, whatever the target speaks. services_estimated is the count over the sampled share.
SELECT
    responses.sweep,
    responses.country,
    responses.port,
    count(*) AS responsive,
    count(exposed.ip) AS services,
    count(*) FILTER (exposed.accepts) AS accepting,
    count(exposed.ip) / any_value(sweeps.sampled_share) AS services_estimated
FROM responses
LEFT JOIN exposed_2026_11 AS exposed
    ON exposed.sweep = responses.sweep AND exposed.ip = responses.ip AND exposed.port = responses.port
LEFT JOIN sweeps ON sweeps.sweep = responses.sweep
GROUP BY responses.sweep, responses.country, responses.port
