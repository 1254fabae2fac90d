-- Question: Does a service with these suspicions behave like a known honeypot?
-- Grain: a scalar of (suspicions); false without any.
-- Notes: like dicompot or DICOMHawk, or like pynetdicom under a borrowed name.
CREATE OR REPLACE MACRO behaves_like_honeypot(suspicions) AS
    coalesce(len(list_filter(
        suspicions,
        lambda id: starts_with(id, 'dicompot') OR starts_with(id, 'dicomhawk') OR starts_with(id, 'pynetdicom-')
    )) > 0, false)
