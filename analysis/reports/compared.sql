-- Question: What changed since an earlier sweep, in each country?
-- Grain: one row for each country with a service in $before or $sweep.
-- Notes: the most services first.
FROM change_since($before, $sweep)
ORDER BY stayed + came + went DESC, country
