-- Question: Of the services that answered our SYN, in how many was the conversation lost after it?
-- Grain: one row for each sweep of a series that has one before and one after.
-- Notes: of services seen at the same address and port in the sweep before and in the one after, so that they were there now (Manly and
--   Parr 1968). conversed: those that answered our SYN now; stalled: of these, those that sent no byte. Services of a network stall
--   together, so the interval is Wilson's of counts that are design_effect times smaller (Rao and Scott 1992): as large as networks
--   are where none stalled, since nothing then shows how alike they are. with_stalled is what `reachable` makes of the services
--   that were seen, of those known to have stalled, and of as many as the others let expect. A service that stalls often is seldom
--   seen both before and after: the share is at least so large. Of the newest sweep it is not known yet.
WITH known AS (
    SELECT sweep, network, 0 AS stalled
    FROM sightings WHERE before = position - 1 AND after = position + 1
    UNION ALL
    SELECT middle.sweep, sightings.network, 1
    FROM sightings
    JOIN series AS middle ON middle.series = sightings.series AND middle.position = sightings.position + 1
    JOIN responses ON responses.sweep = middle.sweep AND responses.ip = sightings.ip AND responses.port = sightings.port
    WHERE sightings.after = sightings.position + 2
        AND (responses.outcome = 'silent' OR NOT accepts_data(responses.outcome))
),

networks AS (
    SELECT sweep, network, count(*) AS conversed, sum(stalled) AS stalled
    FROM known
    GROUP BY sweep, network
),

totals AS (
    SELECT
        sweep, sum(conversed) AS conversed, sum(stalled) AS stalled, sum(stalled) / sum(conversed) AS share,
        sum(conversed ** 2) / sum(conversed) AS crowding,
        sum(stalled ** 2) - 2 * share * sum(stalled * conversed) + share ** 2 * sum(conversed ** 2) AS between_networks
    FROM networks
    GROUP BY sweep
),

spread AS (
    SELECT *,
        CASE
            WHEN share = 0 THEN crowding
            ELSE greatest(1, coalesce(between_networks / nullif(share * (conversed - stalled), 0), 1))
        END AS design_effect
    FROM totals
),

measured AS (
    SELECT *,
        wilson_low(stalled / design_effect, conversed / design_effect) AS share_low,
        wilson_high(stalled / design_effect, conversed / design_effect) AS share_high
    FROM spread
),

answered AS (
    SELECT
        measured.*,
        there, there_low, there_high, services,
        greatest(0, services - conversed + stalled) AS others,
        services + stalled + others * share / (1 - share) AS answered,
        services + stalled - others
        + design_effect * abundance_low(others / design_effect, 1 - share, 1 - share_high, 1 - share_low) AS answered_low,
        services + stalled - others
        + design_effect * abundance_high(others / design_effect, 1 - share, 1 - share_high, 1 - share_low) AS answered_high
    FROM measured
    JOIN reachable ON reachable.sweep = measured.sweep AND reachable.of_all AND reachable.services > 0
    WHERE share < 1
)

SELECT
    sweep, CAST(conversed AS BIGINT) AS conversed, CAST(stalled AS BIGINT) AS stalled, design_effect,
    share AS stalled_share, share_low AS stalled_low, share_high AS stalled_high,
    there / services * answered AS with_stalled,
    with_stalled * exp(-sqrt(ln(there / there_low) ** 2 + ln(answered / answered_low) ** 2)) AS with_stalled_low,
    with_stalled * exp(sqrt(ln(there_high / there) ** 2 + ln(answered_high / answered) ** 2)) AS with_stalled_high
FROM answered
