-- Question: What of the table of encryption follows from its counts?
-- Grain: as the table.
-- Notes: null where the sweep attempted no handshake, or the count is withheld.
SELECT tls_share.* REPLACE (
    CASE WHEN share IS NOT NULL THEN over_tls / nullif(services, 0) END AS share,
    CASE WHEN share IS NOT NULL THEN wilson_low(over_tls, services) END AS share_low,
    CASE WHEN share IS NOT NULL THEN wilson_high(over_tls, services) END AS share_high
)
FROM tls_share
