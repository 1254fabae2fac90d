-- Question: What is a companion port usually used for, in words?
-- Grain: a scalar of (port).
-- Notes: null for a port that the census knows no use of. It says what a port is for, not what answers there: no byte was exchanged.
CREATE OR REPLACE MACRO port_use(port) AS
    CASE
        WHEN port = 80 THEN 'HTTP'
        WHEN port = 443 THEN 'HTTPS'
        WHEN port = 2575 THEN 'HL7'
        WHEN port = 8042 THEN 'web server of Orthanc'
        WHEN port = 8043 THEN 'web server of Orthanc, TLS'
        WHEN port IN (8443, 9443) THEN 'HTTPS, alternative'
        WHEN companion_kind(port) = 'web' THEN 'HTTP, alternative'
    END
