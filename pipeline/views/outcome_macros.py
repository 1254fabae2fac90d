"""SQL macros over outcomes, made from the sets of `pipeline.outcome`, so that no SQL file lists an outcome again."""

from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType

from pipeline.outcome import ACCEPTS_ASSOCIATION, ACCEPTS_DATA, SPEAKS_DICOM, Outcome

#: Macro → the outcomes for which it is true. Of null it is null.
MACROS: Mapping[str, Collection[Outcome]] = MappingProxyType(
    {
        "speaks_dicom": SPEAKS_DICOM,
        "accepts": ACCEPTS_ASSOCIATION,
        "accepts_data": ACCEPTS_DATA,
        "is_outcome": tuple(Outcome),
    }
)
#: Macro → its comment.
QUESTIONS: Mapping[str, str] = MappingProxyType(
    {
        "speaks_dicom": "Question: Is this the outcome of a target that speaks DICOM?",
        "accepts": "Question: Is this the outcome of a service that accepts the association of an unknown client?",
        "accepts_data": "Question: Is this the outcome of a target that took our request?",
        "is_outcome": "Question: Is this an outcome that the program knows?",
    }
)


def statements() -> Iterator[str]:
    """The statements that create the macros, the same text each time: built marts are kept by a digest over it."""
    for name, outcomes in MACROS.items():
        listed = ", ".join(f"'{outcome}'" for outcome in Outcome if outcome in outcomes)
        yield f"CREATE OR REPLACE MACRO {name}(outcome) AS outcome IN ({listed})"
        yield f"COMMENT ON MACRO {name} IS '{QUESTIONS[name]}'"
