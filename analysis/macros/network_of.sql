-- Question: In which network is an address?
-- Grain: a scalar of (asn, ip).
-- Notes: the autonomous system that announces it, or its /24 where no database knows one.
CREATE OR REPLACE MACRO network_of(asn, ip) AS
    coalesce('AS' || asn, dotted((ip >> 8) << 8) || '/24')
