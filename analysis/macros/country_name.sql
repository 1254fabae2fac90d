-- Question: What is the country of an ISO 3166-1 alpha-2 code called?
-- Grain: a scalar of (code); the code itself if it is not a country's, null of null.
-- Notes: the usual English short name; ISO codes of three letters and regions are in `country_names`.
CREATE OR REPLACE MACRO country_name(code) AS
    coalesce((SELECT country_names.country_name FROM country_names WHERE country_names.country = code), code)
