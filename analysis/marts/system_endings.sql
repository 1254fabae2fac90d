-- Question: How many systems ended, and how many of these links missed or confused?
-- Grain: one row for each sweep of a series, from its third one on.
-- Notes: systems_before are those of two sweeps ago, without those that left the target space; systems_ended of them were recognised at no
--   address since. missed_links: of these, how many only moved; false_links: of the links by identity of systems_before, how many
--   joined two systems. Both follow from `link_errors`, with 95 % intervals; where no key shows the truth, they may be any number.
WITH judged AS (
    SELECT
        tallies.sweep,
        tallies.systems_before,
        tallies.links_by_identity,
        tallies.systems_ended,
        tallies.ended_without_key,
        errors.link_recall AS recall,
        errors.link_recall_low AS recall_low,
        errors.link_recall_high AS recall_high,
        errors.key_moves / nullif(errors.moves_independent, 0) AS crowd,
        errors.link_precision AS right_share,
        errors.links_independent * tallies.links_by_identity / nullif(errors.links_independent + tallies.links_by_identity, 0) AS trials
    FROM system_tallies AS tallies
    JOIN link_errors AS errors ON errors.sweep = tallies.sweep
    WHERE tallies.systems_before IS NOT NULL
),

untrue AS (
    SELECT
        *,
        links_by_identity * (1 - right_share) AS false_links,
        coalesce(links_by_identity * (1 - wilson_high(right_share * trials, trials)), 0) AS false_low,
        coalesce(links_by_identity * (1 - wilson_low(right_share * trials, trials)), links_by_identity) AS false_high
    FROM judged
),

erring AS (
    SELECT
        *,
        (links_by_identity - false_high) / crowd AS fewest_moved,
        links_by_identity / crowd AS most_moved,
        CASE WHEN recall > 0 THEN least(ended_without_key, links_by_identity * right_share * (1 / recall - 1)) END AS missed_links,
        CASE
            WHEN recall_low > 0
                THEN crowd * (abundance_low(fewest_moved, recall, recall_low, recall_high) - fewest_moved)
            ELSE 0
        END AS missed_low,
        CASE
            WHEN recall_low > 0
                THEN crowd * (abundance_high(most_moved, recall, recall_low, recall_high) - most_moved)
            ELSE ended_without_key
        END AS missed_high
    FROM untrue
)

SELECT
    sweep,
    systems_before,
    links_by_identity,
    systems_ended,
    missed_links,
    least(missed_low, ended_without_key) AS missed_low,
    least(missed_high, ended_without_key) AS missed_high,
    false_links,
    false_low,
    false_high,
    systems_ended - least(missed_high, ended_without_key) AS ended_low,
    CAST(systems_ended AS DOUBLE) + false_high AS ended_high
FROM erring
