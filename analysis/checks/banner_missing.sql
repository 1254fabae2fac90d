-- Question: Does a response name a banner that is missing?
-- Grain: one row for each (sweep, ip, port) that is wrong.
-- Notes: each banner is stored once, by the hash of its bytes.
SELECT responses.sweep, responses.ip, responses.port, responses.banner
FROM responses
ANTI JOIN banners ON banners.sweep = responses.sweep AND banners.banner = responses.banner
WHERE responses.banner IS NOT NULL
