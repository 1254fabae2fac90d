"""The identity that a peer declares: its implementation class UID and version name, matched with evidenced rules."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from pipeline.enrich import pattern
from pipeline.enrich.feature import Features
from pipeline.enrich.rule import RANK, Conditions, Rule, check_conditions, fits
from pipeline.errors import InputError
from pipeline.outcome import Explained

#: PS3.5 §9.1: components without leading zeros, at most 64 characters.
UID = re.compile(r"[0-2](?:\.(?:0|[1-9][0-9]*))+")
UID_LIMIT = 64


class ImplementationKind(Explained):
    """The purpose of an implementation."""

    ARCHIVE = "archive", "Stores images and serves them."
    MODALITY = "modality", "Makes images: a scanner, an ultrasound machine."
    VIEWER = "viewer", "Shows images."
    WORKSTATION = "workstation", "Shows and processes images."
    WORKLIST = "worklist", "Serves worklists."
    BROKER = "broker", "Translates between systems."
    TOOLKIT = "toolkit", "A library and its tools, used in many products; the product is unknown."
    HONEYPOT = "honeypot", "Imitates a medical system."
    OTHER = "other", "From a known vendor; the purpose is unknown."


class VersionForm(StrEnum):
    """The notation of a version in a version name."""

    PLAIN = "plain"
    DIGITS = "digits"  # 367 means 3.6.7
    UNDERSCORES = "underscores"  # 1_1 means 1.1


class IdentityRule(Rule, frozen=True, kw_only=True):
    """A rule about class UID and version name, or about the features of a peer that declares neither of its own."""

    kind: ImplementationKind
    uid_root: str = ""
    version_name: str = ""
    version_form: VersionForm = VersionForm.PLAIN
    toolkit: str = ""
    product: str = ""
    vendor: str = ""
    when: Conditions | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """The implementation that a declared identity means; all empty if no rule matches."""

    identity_rule: str | None = None
    toolkit_rule: str | None = None
    toolkit: str | None = None
    toolkit_version: str | None = None
    product: str | None = None
    product_version: str | None = None
    vendor: str | None = None
    kind: str | None = None
    grade: str | None = None

    @property
    def names(self) -> frozenset[str]:
        """The names of toolkit and product, if known."""
        return frozenset(name for name in (self.toolkit, self.product) if name)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A rule with its compiled pattern."""

    rule: IdentityRule
    regex: re.Pattern[str] | None

    def version(self, name: str | None) -> str | None:
        """The version in a version name."""
        match = pattern.fullmatch(self.regex, name) if self.regex and name else None
        text = match["version"] if match and "version" in match.groupdict() else None
        return _DOTTED[self.rule.version_form](text) if text else None

    def fits(self, name: str | None) -> bool:
        """Whether the rule matches this version name."""
        return self.regex is None or bool(name and pattern.fullmatch(self.regex, name))


@dataclass(frozen=True, slots=True)
class Identities:
    """All identity rules: by the root of the UID, those that use only version names, and those that use features."""

    by_root: dict[str, list[_Entry]] = field(default_factory=dict)
    by_name: list[_Entry] = field(default_factory=list)
    by_features: list[_Entry] = field(default_factory=list)

    def of(self, features: Features) -> Identity:
        """The implementation that an answer declares. What it returns of our own identity is no declaration."""
        uid, name = (
            None if features.get(f"own_{part}") else features.get(part) for part in ("class_uid", "version_name")
        )
        declared = self.match(*(value if isinstance(value, str) else None for value in (uid, name)))
        if declared.grade is not None:
            return declared
        shown = next((entry for entry in self.by_features if fits(entry.rule.when or {}, features)), None)
        return _identity(shown, shown, None)

    def match(self, uid: str | None, name: str | None) -> Identity:
        """The implementation of a class UID and version name: by the longest UID root first, then by the version name."""
        by_uid = next(
            (entry for root in prefixes(uid) for entry in self.by_root.get(root, ()) if entry.fits(name)), None
        )
        by_name_only = next((entry for entry in self.by_name if entry.fits(name)), None)
        toolkit = by_uid if by_uid and (by_uid.rule.toolkit or by_name_only is None) else by_name_only
        return _identity(by_uid, toolkit, name)


def prefixes(uid: str | None) -> Iterator[str]:
    """A UID and all its ancestors in the OID tree, longest first; nothing for a text that is not a UID."""
    if uid is None or not is_uid(uid):
        return
    while uid:
        yield uid
        uid = uid.rpartition(".")[0]


def is_uid(text: str) -> bool:
    """Whether a text is a UID (PS3.5 §9.1)."""
    return len(text) <= UID_LIMIT and UID.fullmatch(text) is not None


def compile_rules(path: Path, rules: tuple[IdentityRule, ...]) -> Identities:
    """Prepare rules for matching. Raises InputError for a rule that cannot match or names nothing."""
    identities = Identities()
    seen: set[tuple[str, str]] = set()
    for rule in sorted(rules, key=lambda rule: not rule.version_name):
        where = f"{path}, id {rule.id}"
        _check(rule, where)
        if rule.when is not None:
            check_conditions(path, rule.id, rule.when)
            identities.by_features.append(_Entry(rule, None))
            continue
        if (rule.uid_root, rule.version_name) in seen:
            raise InputError(where, "has the same uid_root and version_name as another rule")
        seen.add((rule.uid_root, rule.version_name))
        entry = _Entry(rule, _regex(rule, where))
        (identities.by_root.setdefault(rule.uid_root, []) if rule.uid_root else identities.by_name).append(entry)
    return identities


def _check(rule: IdentityRule, where: str) -> None:
    if bool(rule.uid_root or rule.version_name) == (rule.when is not None):
        raise InputError(where, "needs uid_root or version_name, or else when")
    if rule.uid_root and not is_uid(rule.uid_root):
        raise InputError(f"{where}, key uid_root", f"{rule.uid_root!r} is not a UID (PS3.5 §9.1)")
    if not rule.uid_root and not rule.toolkit:
        raise InputError(where, "has only a version name, which identifies a toolkit; fill in key toolkit")
    if not (rule.toolkit or rule.product or rule.vendor):
        raise InputError(where, "identifies nothing; fill in toolkit, product or vendor")


def _regex(rule: IdentityRule, where: str) -> re.Pattern[str] | None:
    if not rule.version_name:
        return None
    regex = pattern.compiled(rule.version_name, f"{where}, key version_name")
    if set(regex.groupindex) - {"version"}:
        raise InputError(f"{where}, key version_name", "has another named group than `version`; remove it")
    return regex


def _identity(by_uid: _Entry | None, toolkit: _Entry | None, name: str | None) -> Identity:
    """Combine the two rules; the weaker evidence gives the grade."""
    main = by_uid or toolkit
    if main is None:
        return Identity()
    rules = [entry.rule for entry in (by_uid, toolkit) if entry]
    tool = toolkit if toolkit and toolkit.rule.toolkit else None
    is_product = bool(main.rule.product)
    return Identity(
        identity_rule=by_uid.rule.id if by_uid else None,
        toolkit_rule=tool.rule.id if tool else None,
        toolkit=tool.rule.toolkit if tool else None,
        toolkit_version=tool.version(name) if tool and not (is_product and tool is main) else None,
        product=main.rule.product or None,
        product_version=main.version(name) if is_product else None,
        vendor=main.rule.vendor or None,
        kind=main.rule.kind.value,
        grade=max((rule.grade.value for rule in rules), key=RANK.__getitem__),
    )


#: Notation → function that writes the version with dots.
_DOTTED: Mapping[VersionForm, Callable[[str], str]] = {
    VersionForm.PLAIN: lambda text: text,
    VersionForm.DIGITS: lambda text: ".".join(text),
    VersionForm.UNDERSCORES: lambda text: text.strip("_").replace("_", "."),
}
