-- Question: What of the totals follows from the table of countries?
-- Grain: as the table.
-- Notes: an address is in one country, so addresses add up. Decoys, accepted, rejected and aborted are withheld of small countries.
SELECT totals.* REPLACE (
    sums.services AS services,
    sums.addresses AS addresses,
    1e6 * sums.addresses / nullif(totals.addresses_probed, 0) AS per_million,
    sums.services / about.sampled_share AS services_estimated,
    sums.countries AS countries
)
FROM totals
JOIN sweeps AS about ON about.sweep = totals.sweep
JOIN (
    SELECT
        sweep,
        CAST(sum(services) AS BIGINT) AS services,
        CAST(sum(addresses) AS BIGINT) AS addresses,
        count(*) FILTER (services > 0 AND country IS NOT NULL) AS countries
    FROM countries
    GROUP BY sweep
) AS sums ON sums.sweep = totals.sweep
