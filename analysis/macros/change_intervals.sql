-- Question: What changed beyond loss from one sweep of a series to another, in each country?
-- Grain: a table of (before, now): one row for each country of `change_since`, and one of_all together.
-- Notes: the columns of `services_p`, and what loss makes of those that stayed; null where the loss of a sweep is not known.
CREATE OR REPLACE MACRO change_intervals(before_id, now_id) AS TABLE
    WITH chances AS (
        SELECT
            *,
            before_kept / before_looks AS before_chance,
            CASE WHEN before_counted THEN share_low(before_kept, before_looks)
                ELSE beta_quantile(0.025, before_kept, before_looks - before_kept) END AS before_low,
            CASE WHEN before_counted THEN share_high(before_kept, before_looks)
                ELSE beta_quantile(0.975, before_kept, before_looks - before_kept) END AS before_high,
            now_kept / now_looks AS now_chance,
            CASE WHEN now_counted THEN share_low(now_kept, now_looks)
                ELSE beta_quantile(0.025, now_kept, now_looks - now_kept) END AS now_low,
            CASE WHEN now_counted THEN share_high(now_kept, now_looks)
                ELSE beta_quantile(0.975, now_kept, now_looks - now_kept) END AS now_high,
            before_chance IS NOT NULL AND now_chance IS NOT NULL AS known
        FROM services_p(before_id, now_id)
    ),

    lost AS (
        SELECT
            *,
            CASE WHEN known THEN stayed / before_chance - stayed END AS new_by_loss,
            CASE WHEN known THEN stayed / now_chance - stayed END AS gone_by_loss,
            CASE WHEN known THEN abundance_low(stayed, before_chance, before_low, before_high) - stayed ELSE 0 END AS new_lost_low,
            CASE WHEN known THEN abundance_high(stayed, before_chance, before_low, before_high) - stayed ELSE 'inf' END AS new_lost_high,
            CASE WHEN known THEN abundance_low(stayed, now_chance, now_low, now_high) - stayed ELSE 0 END AS gone_lost_low,
            CASE WHEN known THEN abundance_high(stayed, now_chance, now_low, now_high) - stayed ELSE 'inf' END AS gone_lost_high,
            came + went AS moved,
            moved / nullif(stayed + moved, 0) AS seen_once,
            share_low(moved, stayed + moved) AS seen_once_low,
            share_high(moved, stayed + moved) AS seen_once_high,
            CASE WHEN known THEN 1 / before_chance + 1 / now_chance - 2 END AS odds,
            1 / before_high + 1 / now_high - 2 AS least_odds,
            1 / before_low + 1 / now_low - 2 AS most_odds
        FROM chances
    )

    SELECT
        lost.* EXCLUDE (new_by_loss, gone_by_loss),
        new_by_loss,
        gone_by_loss,
        CASE WHEN known THEN greatest(0, least(came, came - new_by_loss)) END AS new_net,
        greatest(0, least(came, came - new_lost_high)) AS new_low,
        greatest(0, least(came, came - new_lost_low)) AS new_high,
        CASE WHEN known THEN greatest(0, least(went, went - gone_by_loss)) END AS gone_net,
        greatest(0, least(went, went - gone_lost_high)) AS gone_low,
        greatest(0, least(went, went - gone_lost_low)) AS gone_high,
        CASE WHEN known THEN greatest(0, least(1, seen_once - (1 - seen_once) * odds)) END AS turnover,
        CASE
            WHEN NOT known THEN 0.0
            ELSE greatest(0, seen_once - (1 - seen_once) * odds - sqrt(
                ((1 + odds) * (seen_once - seen_once_low)) ** 2 + ((1 - seen_once) * (most_odds - odds)) ** 2
            ))
        END AS turnover_low,
        CASE
            WHEN NOT known THEN seen_once_high
            ELSE greatest(0, least(1, seen_once - (1 - seen_once) * odds + sqrt(
                ((1 + odds) * (seen_once_high - seen_once)) ** 2 + ((1 - seen_once) * (odds - least_odds)) ** 2
            )))
        END AS turnover_high
    FROM lost
