-- Question: In which networks did services change since an earlier sweep?
-- Grain: one row for each (country, network) in which the services of $before and $sweep differ.
-- Notes: never publish the networks; how many they are may be published.
SELECT country, network, came, went
FROM change_by_network($before, $sweep)
WHERE came + went > 0
ORDER BY country, network
