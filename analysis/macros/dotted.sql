-- Question: How is an IPv4 address written that is stored as an integer?
-- Grain: a scalar of (ip).
-- Notes: four numbers, separated by dots.
CREATE OR REPLACE MACRO dotted(ip) AS
    concat_ws('.', ip >> 24, (ip >> 16) & 255, (ip >> 8) & 255, ip & 255)
