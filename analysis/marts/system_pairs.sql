-- Question: Which sightings of two sweeps of a series may be one system, and why?
-- Grain: one row for each (sweep, ip, earlier_sweep, earlier_ip, linked_by), with an earlier sweep that is the previous one or that before it.
-- Notes: key: both alone showed one certificate key. address: the same address. identity: both alone had one identity in a network and
--   country, neither address answered as DICOM does in the other's sweep. The rule of identity is applied to systems with a key, too: they
--   show how often it is right. sweeps_between is 1 or 2. Holds addresses: never publish its rows.
WITH seen AS MATERIALIZED (
    SELECT * FROM system_sightings
),

paired AS (
    SELECT seen.*, gaps.sweeps_between, seen.position - gaps.sweeps_between AS earlier_position
    FROM seen
    CROSS JOIN (VALUES (1), (2)) AS gaps (sweeps_between)
),

candidates AS (
    SELECT later.*, earlier.sweep AS earlier_sweep, earlier.ip AS earlier_ip, earlier.key AS earlier_key, earlier.likeness AS earlier_likeness, 'address' AS linked_by
    FROM paired AS later
    JOIN seen AS earlier
        ON earlier.series = later.series AND earlier.position = later.earlier_position AND earlier.ip = later.ip
    UNION ALL
    SELECT later.*, earlier.sweep, earlier.ip, earlier.key, earlier.likeness, 'key'
    FROM paired AS later
    JOIN seen AS earlier
        ON earlier.series = later.series AND earlier.position = later.earlier_position AND earlier.key = later.key
    WHERE earlier.ip <> later.ip
    UNION ALL
    SELECT later.*, earlier.sweep, earlier.ip, earlier.key, earlier.likeness, 'identity'
    FROM paired AS later
    JOIN seen AS earlier
        ON earlier.series = later.series AND earlier.position = later.earlier_position AND earlier.identity = later.identity
    ANTI JOIN seen AS at_address
        ON at_address.series = later.series AND at_address.position = later.earlier_position AND at_address.ip = later.ip
    ANTI JOIN seen AS still
        ON still.series = later.series AND still.position = later.position AND still.ip = earlier.ip
)

SELECT
    series,
    position,
    sweep,
    ip,
    address,
    country,
    decoy_address,
    key,
    sweeps_between,
    earlier_position,
    earlier_sweep,
    earlier_ip,
    dotted(earlier_ip) AS earlier_address,
    earlier_key,
    earlier_likeness,
    linked_by
FROM candidates
