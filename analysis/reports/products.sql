-- Question: Which implementations do the exposed services say they are?
-- Grain: the rows of $sweep.
-- Notes: the most services first.
SELECT * EXCLUDE (sweep)
FROM products
WHERE sweep = $sweep
ORDER BY services DESC, implementation_version_name, implementation_class_uid
