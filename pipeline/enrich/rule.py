"""What the rule files share: grades of evidence, conditions over features, and reading TOML that must be sound to the last key."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from pipeline import checkout
from pipeline.enrich.feature import FEATURES, Features
from pipeline.errors import InputError
from pipeline.outcome import Explained

REFERENCE = checkout.REFERENCE
IDENTIFIER = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")

Contents = TypeVar("Contents")


class Grade(Explained):
    """How well a rule is evidenced, the best first."""

    SEEN = "L", "Seen on a real server in a closed laboratory."
    SOURCE = "C", "A constant read in the product's own source."
    QUOTED = "W", "Quoted by a third party: an issue, a log, a conformance statement."
    FILES = "F", "From the meta header of files only: who wrote a file is often, not always, who answers."
    UNVERIFIED = "NV", "Not verified."


#: Grades by which a number may be published without a word of caution.
EVIDENCED = (Grade.SEEN, Grade.SOURCE, Grade.QUOTED)
RANK: Mapping[str, int] = {grade: rank for rank, grade in enumerate(Grade)}


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A row of a rule file."""

    id: str
    grade: Grade
    evidence: str


class Span(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Numbers from `min` to `max`, both included."""

    min: float = float("-inf")
    max: float = float("inf")


Wanted = bool | int | str | list[int | str] | Span
When = dict[str, Wanted]


def read(path: Path, kind: type[Contents]) -> Contents:
    """Read a rule file. Raises InputError naming file, key and reason."""
    try:
        return msgspec.convert(tomllib.loads(path.read_text("utf-8")), kind, strict=True)
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(str(path), f"is not TOML: {error}") from None
    except msgspec.ValidationError as error:
        reason, _, place = str(error).partition(" - at `$")
        raise InputError(f"{path}, key {place.rstrip('`').lstrip('.')}", reason) from None


def check_ids(path: Path, rules: Iterable[Rule]) -> None:
    """Refuse ids that are not plain or come twice, and rules without one line of evidence."""
    seen: set[str] = set()
    for rule in rules:
        if not IDENTIFIER.fullmatch(rule.id):
            raise InputError(f"{path}, id {rule.id!r}", "must be made of a-z, 0-9 and single hyphens")
        if rule.id in seen:
            raise InputError(f"{path}, id {rule.id}", "is listed twice; keep one")
        if not rule.evidence.strip() or "\n" in rule.evidence:
            raise InputError(f"{path}, id {rule.id}, key evidence", "must be one line")
        seen.add(rule.id)


def check_when(path: Path, id: str, when: When) -> None:
    """Refuse conditions on features that there are not, or of another type."""
    if not when:
        raise InputError(f"{path}, id {id}, key when", "must name a feature")
    for name, wanted in when.items():
        where = f"{path}, id {id}, key when.{name}"
        if name not in FEATURES:
            raise InputError(where, f"is not a feature; use one of {', '.join(FEATURES)}")
        kind = FEATURES[name].kind
        if isinstance(wanted, Span) and kind in (int, float):
            continue
        values = wanted if isinstance(wanted, list) else [wanted]
        if not values or any(type(value) is not kind for value in values):
            raise InputError(where, f"must be of type {kind.__name__}")


def holds(wanted: Wanted, seen: object) -> bool:
    """Whether what was seen is what a condition wants; what was not seen is never. Of several things seen, one is enough."""
    if seen is None:
        return False
    if isinstance(seen, frozenset):
        return any(holds(wanted, part) for part in seen)
    if isinstance(wanted, Span):
        return isinstance(seen, int | float) and wanted.min <= seen <= wanted.max
    return seen in wanted if isinstance(wanted, list) else seen == wanted


def fits(when: When, features: Features) -> bool:
    """Whether every condition holds."""
    return all(holds(wanted, features.get(name)) for name, wanted in when.items())


def contradicts(when: When, features: Features) -> bool:
    """Whether something was seen that is not as a rule has it."""
    return any(features.get(name) is not None and not holds(wanted, features[name]) for name, wanted in when.items())
