-- Question: How many distinct owners have services in each sector, by how well what names them identifies them?
-- Grain: one row for each (sweep, sector, confidence), without likely decoys.
-- Notes: owners counts distinct names in the field that the rule of `owners` matched: the domain of the first host name, the organisation
--   of the certificate or else its subject, or the holder of the network. A domain has three labels under a country's short or
--   governmental second level, as in trust.nhs.uk, and else two. One body may have several names, and several bodies may share
--   one. In sectors access and hosting they are those who carry the addresses. 0 for unknown: nothing names these.
WITH hosts AS (
    SELECT exposed.sweep, exposed.ip, count(*) AS undoubted, any_value(exposed.organisation) AS holder
    FROM exposed_2026_11 AS exposed
    LEFT JOIN fingerprints AS judged
        ON judged.sweep = exposed.sweep AND judged.ip = exposed.ip AND judged.port = exposed.port
    WHERE NOT is_decoy(judged.suspicions)
    GROUP BY exposed.sweep, exposed.ip
),

certificates AS (
    SELECT sweep, ip, min(coalesce(nullif(certificate.subject_organization, ''), certificate.subject)) AS organisation
    FROM tls
    GROUP BY sweep, ip
),

named AS (
    SELECT
        hosts.sweep,
        hosts.undoubted,
        coalesce(owners.sector, 'unknown') AS sector,
        owners.confidence,
        CASE owners.field
            WHEN 'host'
                THEN regexp_extract(host_names.names[1], '([^.]+[.]([a-z]{1,3}|gouv|govt)[.][a-z]{2}|[^.]+[.][^.]+)$')
            WHEN 'certificate' THEN certificates.organisation
            WHEN 'organisation' THEN hosts.holder
        END AS owner
    FROM hosts
    LEFT JOIN owners ON owners.sweep = hosts.sweep AND owners.ip = hosts.ip
    LEFT JOIN host_names ON host_names.sweep = hosts.sweep AND host_names.ip = hosts.ip
    LEFT JOIN certificates ON certificates.sweep = hosts.sweep AND certificates.ip = hosts.ip
)

SELECT
    sweep,
    sector,
    confidence,
    CAST(sum(undoubted) AS BIGINT) AS undoubted,
    count(*) AS addresses_undoubted,
    count(DISTINCT lower(owner)) AS owners
FROM named
GROUP BY sweep, sector, confidence
