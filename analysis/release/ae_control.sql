-- Question: What of the table of AE-title checks follows from its counts?
-- Grain: as the table.
-- Notes: null where the count is withheld.
SELECT ae_control.* REPLACE (
    anyone / services AS open_share,
    wilson_low(anyone, services) AS open_share_low,
    wilson_high(anyone, services) AS open_share_high
)
FROM ae_control
