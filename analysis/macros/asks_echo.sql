-- Question: Does a sweep of this profile send a C-ECHO?
-- Grain: a scalar of (profile).
-- Notes: only the profile `echo` does; a count of echoes is null, not 0, in sweeps that send none.
CREATE OR REPLACE MACRO asks_echo(profile) AS
    profile = 'echo'
