-- Question: Is a service with these suspicions probably a decoy, not a medical system?
-- Grain: a scalar of (suspicions); false without any.
-- Notes: definition of November 2026: it behaves like a known honeypot (behaves_like_honeypot), or its /24 answers everything or gives the
--   same answer everywhere (answers_all).
CREATE OR REPLACE MACRO is_decoy(suspicions) AS
    behaves_like_honeypot(suspicions) OR answers_all(suspicions)
