-- Question: What of the table of countries follows from its counts?
-- Grain: as the table.
-- Notes: the rates and estimates of the sample. Estimates of loss (there) are those of intervals.py.
SELECT countries.* REPLACE (
    1e6 * countries.addresses / nullif(countries.addresses_probed, 0) AS per_million,
    1e6 * countries.addresses_undoubted / nullif(countries.addresses_probed, 0) AS per_million_undoubted,
    countries.services / about.sampled_share AS services_estimated,
    countries.addresses / about.sampled_share AS addresses_estimated,
    CASE WHEN about.sampled_share < 1 THEN whole_low(countries.addresses, about.sampled_share) END AS addresses_low
)
FROM countries
JOIN sweeps AS about ON about.sweep = countries.sweep
