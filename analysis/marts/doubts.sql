-- Question: How many exposed services of each country are likely no medical system at all?
-- Grain: one row for each (sweep, country) with an exposed service.
-- Order: services DESC, country
-- Notes: definition of November 2026, by the suspicions of docs/fingerprints.md. The four parts add up to services:
--   honeypot (as dicompot, DICOMHawk, or pynetdicom in disguise), answers_everything (its /24 does, or says the same),
--   odd (any other suspicion), unsuspected. Suspected ones are shown, and left out of no other count.
WITH marked AS (
    SELECT
        exposed.sweep,
        exposed.country,
        len(list_filter(
            judged.suspicions,
            lambda id: starts_with(id, 'dicompot') OR starts_with(id, 'dicomhawk') OR id = 'pynetdicom-disguised'
        )) > 0 AS bait,
        len(list_filter(judged.suspicions, lambda id: starts_with(id, 'prefix-'))) > 0 AS wall,
        len(judged.suspicions) > 0 AS marked
    FROM exposed_2026_11 AS exposed
    LEFT JOIN fingerprints AS judged
        ON judged.sweep = exposed.sweep AND judged.ip = exposed.ip AND judged.port = exposed.port
)

SELECT
    sweep,
    country,
    count(*) AS services,
    count(*) FILTER (bait) AS honeypot,
    count(*) FILTER (wall AND NOT bait) AS answers_everything,
    count(*) FILTER (marked AND NOT wall AND NOT bait) AS odd,
    count(*) FILTER (marked IS NOT TRUE) AS unsuspected
FROM marked
GROUP BY sweep, country
