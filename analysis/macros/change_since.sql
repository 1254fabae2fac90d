-- Question: What changed from one sweep of a series to another, in each country?
-- Grain: a table of (before, now): one row for each country with a service in either; empty if they are of two series.
-- Notes: stayed: seen in both; came and went: the discordant pairs, on which change is tested; entered and left_space: seen in one,
--   outside the other's space. Both sweeps are placed by one build of the country database (`placements`); moved_in and moved_out
--   count the services of the earlier sweep that its own build placed elsewhere, or here. withheld: seen before, opted out or
--   quarantined now; networks: those in which services came or went, never to be published. Loss is not subtracted.
CREATE OR REPLACE MACRO change_since(before_id, now_id) AS TABLE
    SELECT
        country,
        CAST(sum(stayed) AS BIGINT) AS stayed,
        CAST(sum(came) AS BIGINT) AS came,
        CAST(sum(went) AS BIGINT) AS went,
        CAST(sum(entered) AS BIGINT) AS entered,
        CAST(sum(left_space) AS BIGINT) AS left_space,
        CAST(sum(moved_in) AS BIGINT) AS moved_in,
        CAST(sum(moved_out) AS BIGINT) AS moved_out,
        CAST(sum(withheld) AS BIGINT) AS withheld,
        coalesce(
            list({'network': network, 'came': came, 'went': went} ORDER BY network) FILTER (came + went > 0), []
        ) AS networks
    FROM change_by_network(before_id, now_id)
    GROUP BY country
