-- Question: How many services has each /24 that a focus sweep probed, and how likely was it to be probed?
-- Grain: one row for each (sweep, slash24, country, inclusion) with a service.
-- Notes: slash24 is the address over 256. inclusion is 1 where services were in the whole sweeps that the focus began with. Holds
--   addresses: never publish its rows.
SELECT
    exposed.sweep,
    exposed.ip // 256 AS slash24,
    exposed.country,
    space.inclusion,
    CAST(sum(exposed.services) AS BIGINT) AS services,
    CAST(sum(exposed.services - exposed.decoys) AS BIGINT) AS undoubted
FROM exposed_addresses AS exposed
ASOF JOIN space ON space.sweep = exposed.sweep AND exposed.ip >= space.first
WHERE exposed.ip <= space.last AND space.inclusion IS NOT NULL
GROUP BY exposed.sweep, exposed.ip // 256, exposed.country, space.inclusion
