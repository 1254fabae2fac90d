-- Question: Does a response name a banner that is not kept?
-- Grain: one row for each (sweep, ip, port) that is wrong.
-- Notes: banners are kept once each, by the hash of their bytes.
SELECT responses.sweep, responses.ip, responses.port, responses.banner
FROM responses
ANTI JOIN banners ON banners.sweep = responses.sweep AND banners.banner = responses.banner
WHERE responses.banner IS NOT NULL
