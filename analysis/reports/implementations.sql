-- Question: Which toolkits and products are the exposed services, as far as rules know what they declare?
-- Grain: the rows of $sweep.
-- Notes: the most services first.
SELECT * EXCLUDE (sweep)
FROM implementations
WHERE sweep = $sweep
ORDER BY services DESC, toolkit, toolkit_version, product, product_version, class_uid_root, class_uid_hash
