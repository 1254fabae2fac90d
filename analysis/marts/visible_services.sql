-- Question: From which vantages was each service of a visibility sample seen?
-- Grain: one row for each (sweep, ip, port) that any vantage saw, besides likely decoys; sweep is the one whose sample it is.
-- Notes: vantages_asked are those that began within a day of the first one, at least two; vantages_named all that the plan names. A
--   service counts as a decoy if it is one by what any vantage saw. One whose address the register withheld from any of them is left
--   out. country is where the databases of the sample's plan place it. Holds addresses: never publish its rows.
WITH began AS (
    SELECT
        visibility_of AS sweep, sweep AS looked, vantage_name, visibility_vantages AS vantages_named, started_at,
        min(started_at) OVER (PARTITION BY visibility_of) AS earliest
    FROM sweeps
    WHERE visibility_of IS NOT NULL
),

looks AS (
    SELECT *, list(vantage_name) OVER (PARTITION BY sweep) AS vantages_asked
    FROM began
    WHERE started_at <= earliest + INTERVAL 1 DAY
    QUALIFY len(vantages_asked) >= 2
),

held AS (
    SELECT looks.sweep, withheld.first, max(withheld.last) AS last
    FROM withheld
    JOIN looks ON looks.looked = withheld.sweep
    GROUP BY looks.sweep, withheld.first
),

services AS (
    SELECT
        looks.sweep, exposed.ip, exposed.port,
        any_value(looks.vantages_asked) AS vantages_asked,
        any_value(looks.vantages_named) AS vantages_named,
        min(exposed.country) AS country,
        network_of(min(exposed.asn), exposed.ip) AS network,
        list(looks.vantage_name) AS seen_by,
        bool_or(is_decoy(judged.suspicions)) AS decoy
    FROM looks
    JOIN exposed_2026_11 AS exposed ON exposed.sweep = looks.looked
    LEFT JOIN fingerprints AS judged
        ON judged.sweep = exposed.sweep AND judged.ip = exposed.ip AND judged.port = exposed.port
    GROUP BY looks.sweep, exposed.ip, exposed.port
)

SELECT
    services.sweep, services.ip, dotted(services.ip) AS address, services.port, services.country, services.network,
    list_sort(services.seen_by) AS seen_by,
    list_sort(services.vantages_asked) AS vantages_asked,
    list_sort(services.vantages_named) AS vantages_named
FROM services
ASOF LEFT JOIN held ON held.sweep = services.sweep AND services.ip >= held.first
WHERE NOT services.decoy AND NOT coalesce(services.ip <= held.last, false)
