-- Question: How many exposed services per country are probably not medical systems?
-- Grain: one row for each (sweep, country) with an exposed service.
-- Order: services DESC, country
-- Notes: definition of November 2026, by the suspicions of docs/fingerprints.md. The four parts add up to services: honeypot (like
--   dicompot, DICOMHawk, or pynetdicom under a borrowed name), answers_everything (its /24 does, or gives the same answer everywhere), odd
--   (any other suspicion), unsuspected. Suspected services are included in all other counts.
WITH marked AS (
    SELECT
        exposed.sweep,
        exposed.country,
        behaves_like_honeypot(judged.suspicions) AS likely_honeypot,
        answers_all(judged.suspicions) AS answers_all,
        len(judged.suspicions) > 0 AS marked
    FROM exposed_2026_11 AS exposed
    LEFT JOIN fingerprints AS judged
        ON judged.sweep = exposed.sweep AND judged.ip = exposed.ip AND judged.port = exposed.port
)

SELECT
    sweep,
    country,
    count(*) AS services,
    count(*) FILTER (likely_honeypot) AS honeypot,
    count(*) FILTER (answers_all AND NOT likely_honeypot) AS answers_everything,
    count(*) FILTER (marked AND NOT answers_all AND NOT likely_honeypot) AS odd,
    count(*) FILTER (marked IS NOT TRUE) AS unsuspected
FROM marked
GROUP BY sweep, country
