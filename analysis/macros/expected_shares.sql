-- Question: Which share of the services that changed is expected to be new, if as many came as went?
-- Grain: a table of (before, now): rows for each country of `looks_at_services`, one for each loss of either sweep that the looks allow, and each part.
-- Notes: weight is how likely these losses are. part 0: loss explains all that came and went; part 1: its own part alone, and as many came
--   as went besides. moved is came and went together. Where nothing measured the loss of a sweep, both are taken to have lost alike.
CREATE OR REPLACE MACRO expected_shares(before_id, now_id) AS TABLE
    SELECT
        looked.of_all,
        looked.country,
        looked.came,
        looked.came + looked.went AS moved,
        parts.part,
        first.weight * second.weight AS weight,
        before_looks IS NOT NULL AND now_looks IS NOT NULL AS known,
        look_end(alike_before_kept, alike_before_looks, first.point) AS seen_before,
        look_end(alike_now_kept, alike_now_looks, second.point) AS seen_now,
        CASE WHEN known THEN stayed * (1 - seen_before) / seen_before ELSE 0 END AS new_by_loss,
        CASE WHEN known THEN stayed * (1 - seen_now) / seen_now ELSE 0 END AS gone_by_loss,
        parts.part * greatest(0, moved - new_by_loss - gone_by_loss) / 2 AS turnover,
        (new_by_loss + turnover) / nullif(new_by_loss + gone_by_loss + 2 * turnover, 0) AS new_share,
        coalesce(new_share, 0.5) AS share
    FROM looks_at_services(before_id, now_id) AS looked
    CROSS JOIN (SELECT unnest(normal_points(), recursive := true)) AS first
    CROSS JOIN (SELECT unnest(normal_points(), recursive := true)) AS second
    CROSS JOIN (VALUES (0), (1)) AS parts (part)
