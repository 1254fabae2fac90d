-- Question: At which points, with which weights, is something averaged over a normal distribution?
-- Grain: a scalar of (): a list of nine points, to be unnested.
-- Notes: Gauss and Hermite; in standard errors, up to 4.5, so that the tails of a test over two hundred countries are not cut.
CREATE OR REPLACE MACRO normal_points() AS [
    {'point': 0.0, 'weight': 0.4063492063492063},
    {'point': 1.023255663789133, 'weight': 0.2440975028949394},
    {'point': -1.023255663789133, 'weight': 0.2440975028949394},
    {'point': 2.07684797867783, 'weight': 0.04991640676521788},
    {'point': -2.07684797867783, 'weight': 0.04991640676521788},
    {'point': 3.20542900285647, 'weight': 0.002789141321231769},
    {'point': -3.20542900285647, 'weight': 0.002789141321231769},
    {'point': 4.512745863399783, 'weight': 2.23458440077466e-05},
    {'point': -4.512745863399783, 'weight': 2.23458440077466e-05}
]
