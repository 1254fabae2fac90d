-- Question: Is a service with these suspicions in a /24 that answers everything, or gives the same answer everywhere?
-- Grain: a scalar of (suspicions); false without any.
-- Notes: the rules whose ids begin with prefix- (docs/fingerprints.md).
CREATE OR REPLACE MACRO answers_all(suspicions) AS
    coalesce(len(list_filter(suspicions, lambda id: starts_with(id, 'prefix-'))) > 0, false)
