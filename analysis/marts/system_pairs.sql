-- Question: Which sightings of two sweeps of a series may be one system, and why?
-- Grain: one row for each (sweep, ip, earlier_sweep, earlier_ip, linked_by), with an earlier sweep that is the previous one or that before it.
-- Notes: key: both alone showed one certificate key. address: the same address. identity: both alone had one identity in a network and
--   country, neither address answered as DICOM does in the other's sweep. The rule of identity is applied to systems with a key, too: they
--   show how often it is right. sweeps_between is 1 or 2. Holds addresses: never publish its rows.
WITH seen AS MATERIALIZED (
    SELECT * FROM system_sightings
),

compared AS (
    SELECT sweep, previous AS earlier_sweep, 1 AS sweeps_between
    FROM series
    WHERE previous IS NOT NULL
    UNION ALL
    SELECT sweep, before_previous AS earlier_sweep, 2 AS sweeps_between
    FROM series
    WHERE before_previous IS NOT NULL
),

paired AS (
    SELECT seen.*, compared.earlier_sweep, compared.sweeps_between
    FROM seen
    JOIN compared ON compared.sweep = seen.sweep
),

candidates AS (
    SELECT later.*, earlier.ip AS earlier_ip, earlier.key AS earlier_key, earlier.likeness AS earlier_likeness, 'address' AS linked_by
    FROM paired AS later
    JOIN seen AS earlier ON earlier.sweep = later.earlier_sweep AND earlier.ip = later.ip
    UNION ALL
    SELECT later.*, earlier.ip, earlier.key, earlier.likeness, 'key'
    FROM paired AS later
    JOIN seen AS earlier ON earlier.sweep = later.earlier_sweep AND earlier.key = later.key
    WHERE earlier.ip <> later.ip
    UNION ALL
    SELECT later.*, earlier.ip, earlier.key, earlier.likeness, 'identity'
    FROM paired AS later
    JOIN seen AS earlier ON earlier.sweep = later.earlier_sweep AND earlier.identity = later.identity
    ANTI JOIN seen AS at_address ON at_address.sweep = later.earlier_sweep AND at_address.ip = later.ip
    ANTI JOIN seen AS still ON still.sweep = later.sweep AND still.ip = earlier.ip
)

SELECT
    sweep,
    ip,
    address,
    country,
    decoy_address,
    key,
    sweeps_between,
    earlier_sweep,
    earlier_ip,
    dotted(earlier_ip) AS earlier_address,
    earlier_key,
    earlier_likeness,
    linked_by
FROM candidates
