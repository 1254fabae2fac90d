-- Question: What usually listens on a companion port?
-- Grain: a scalar of (port).
-- Notes: hl7 is the port that IANA registers for HL7; web are the usual ports of web servers, 8042 and 8043 those of Orthanc and
--   Orthanc with TLS. It says what a port is for, not what answers there: no byte was exchanged.
CREATE OR REPLACE MACRO companion_kind(port) AS
    CASE
        WHEN port = 2575 THEN 'hl7'
        WHEN port IN (80, 443, 3000, 5000, 8000, 8008, 8042, 8043, 8080, 8081, 8088, 8443, 8888, 9443) THEN 'web'
        ELSE 'other'
    END
