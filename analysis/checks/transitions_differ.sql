-- Question: Do the transitions of a sweep fail to add up to the services of it and of the previous sweep?
-- Grain: one row for each sweep that is wrong.
-- Notes: stayed, new, returned and entered make this sweep's services; stayed, missing and left_space those of the previous one.
SELECT changed.sweep
FROM change_totals AS changed
JOIN totals AS now ON now.sweep = changed.sweep
JOIN totals AS before ON before.sweep = changed.previous
WHERE changed.stayed + changed.new + changed.returned + changed.entered <> now.services
    OR changed.stayed + changed.missing + changed.left_space <> before.services
