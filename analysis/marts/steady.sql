-- Question: Which sightings are of services that never entered or left the target space of their series?
-- Grain: one row for each such row of `sightings`.
-- Notes: a service that an opt-out took out of the space did not end, so survival is counted without it. Holds addresses: never
--   publish its rows.
SELECT sightings.*
FROM sightings
ANTI JOIN moved_services AS moved
    ON moved.series = sightings.series AND moved.ip = sightings.ip AND moved.port = sightings.port
