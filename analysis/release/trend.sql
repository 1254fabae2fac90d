-- Question: What of the trend follows from that of the countries?
-- Grain: as the table.
-- Notes: country_trend has services that are not placed in a row without a country.
SELECT trend.* REPLACE (
    coalesce(sums.services, 0) AS services,
    coalesce(sums.services, 0) / trend.sampled_share AS services_estimated
)
FROM trend
LEFT JOIN (
    SELECT sweep, CAST(sum(services) AS BIGINT) AS services
    FROM country_trend
    GROUP BY sweep
) AS sums ON sums.sweep = trend.sweep
