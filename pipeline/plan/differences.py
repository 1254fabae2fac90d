"""In which keys two plans differ, the causes first."""

from collections.abc import Iterator

from pipeline.plan.plan import Plan, document

#: Fields of a plan that other fields follow from.
CAUSES = (
    "code_version",
    "reference",
    "settings",
    "focus",
    "visibility",
    "vantage",
    "caps",
    "identity",
    "probe",
    "associate",
    "loss",
    "control",
    "alarm",
    "harm",
    "companions",
    "tls",
    "requests",
    "digests",
)


def differences(plan: Plan, other: Plan) -> Iterator[str]:
    """The keys in which two plans differ, e.g. `digests.exclusions`; causes come before their consequences."""
    fields, other_fields = document(plan), document(other)
    for name in (*CAUSES, *(name for name in fields if name not in CAUSES)):
        value, other_value = fields[name], other_fields[name]
        if isinstance(value, dict) and isinstance(other_value, dict):
            yield from (f"{name}.{key}" for key in value | other_value if value.get(key) != other_value.get(key))
        elif value != other_value:
            yield name
