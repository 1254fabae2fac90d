"""Who a peer says it is: its implementation class UID and version name, matched against evidenced rules."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from pipeline.enrich import pattern
from pipeline.enrich.rule import RANK, Rule
from pipeline.errors import InputError
from pipeline.outcome import Explained

#: PS3.5 §9.1: components without leading zeros, at most 64 characters.
UID = re.compile(r"[0-2](?:\.(?:0|[1-9][0-9]*))+")
UID_LIMIT = 64


class Kind(Explained):
    """What an implementation is for."""

    ARCHIVE = "archive", "Stores images and hands them out."
    MODALITY = "modality", "Makes images: a scanner, an ultrasound machine."
    VIEWER = "viewer", "Shows images."
    WORKSTATION = "workstation", "Shows and processes images."
    WORKLIST = "worklist", "Hands out worklists."
    BROKER = "broker", "Translates between systems."
    TOOLKIT = "toolkit", "A library and its tools, inside many products: the product is not known."
    HONEYPOT = "honeypot", "Pretends."
    OTHER = "other", "A known vendor's; what it is for is not known."


class Form(StrEnum):
    """How a version name writes a version."""

    PLAIN = "plain"
    DIGITS = "digits"  # 367 is 3.6.7
    UNDERSCORES = "underscores"  # 1_1 is 1.1


class IdentityRule(Rule, frozen=True, kw_only=True):
    """A rule over class UID and version name."""

    kind: Kind
    uid_root: str = ""
    version_name: str = ""
    version_form: Form = Form.PLAIN
    toolkit: str = ""
    product: str = ""
    vendor: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a declared identity stands for; all empty where no rule fits."""

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
        """Toolkit and product, as far as known."""
        return frozenset(name for name in (self.toolkit, self.product) if name)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A rule with its compiled pattern."""

    rule: IdentityRule
    regex: re.Pattern[str] | None

    def version(self, name: str | None) -> str | None:
        """The version that a version name tells."""
        found = pattern.fullmatch(self.regex, name) if self.regex and name else None
        text = found["version"] if found and "version" in found.groupdict() else None
        return _FORMS[self.rule.version_form](text) if text else None

    def fits(self, name: str | None) -> bool:
        """Whether the rule takes this version name."""
        return self.regex is None or bool(name and pattern.fullmatch(self.regex, name))


@dataclass(frozen=True, slots=True)
class Identities:
    """All identity rules: by the root of the UID, and those of version names alone."""

    by_root: dict[str, list[_Entry]] = field(default_factory=dict)
    by_name: list[_Entry] = field(default_factory=list)

    def match(self, uid: str | None, name: str | None) -> Identity:
        """Whose this class UID and version name are: the longest UID root first, then the version name."""
        whose = next(
            (entry for root in prefixes(uid) for entry in self.by_root.get(root, ()) if entry.fits(name)), None
        )
        named = next((entry for entry in self.by_name if entry.fits(name)), None)
        toolkit = whose if whose and (whose.rule.toolkit or named is None) else named
        return _identity(whose, toolkit, name)


def prefixes(uid: str | None) -> Iterator[str]:
    """A UID and what is left when components are taken from its end, the longest first; nothing for what is no UID."""
    if uid is None or not is_uid(uid):
        return
    while uid:
        yield uid
        uid = uid.rpartition(".")[0]


def is_uid(text: str) -> bool:
    """Whether a text is a UID (PS3.5 §9.1)."""
    return len(text) <= UID_LIMIT and UID.fullmatch(text) is not None


def compile_rules(path: Path, rules: tuple[IdentityRule, ...]) -> Identities:
    """Prepare rules for matching. Raises InputError for one that cannot be matched or says nothing."""
    identities = Identities()
    seen: set[tuple[str, str]] = set()
    for rule in sorted(rules, key=lambda rule: not rule.version_name):
        where = f"{path}, id {rule.id}"
        _check(rule, where)
        if (rule.uid_root, rule.version_name) in seen:
            raise InputError(where, "has the same uid_root and version_name as another rule")
        seen.add((rule.uid_root, rule.version_name))
        entry = _Entry(rule, _regex(rule, where))
        (identities.by_root.setdefault(rule.uid_root, []) if rule.uid_root else identities.by_name).append(entry)
    return identities


def _check(rule: IdentityRule, where: str) -> None:
    if not (rule.uid_root or rule.version_name):
        raise InputError(where, "needs uid_root or version_name")
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
        raise InputError(f"{where}, key version_name", "may have one named group, `version`")
    return regex


def _identity(whose: _Entry | None, toolkit: _Entry | None, name: str | None) -> Identity:
    """Put what the two rules say together; the weaker evidence grades the whole."""
    main = whose or toolkit
    if main is None:
        return Identity()
    rules = [entry.rule for entry in (whose, toolkit) if entry]
    tool = toolkit if toolkit and toolkit.rule.toolkit else None
    is_product = bool(main.rule.product)
    return Identity(
        identity_rule=whose.rule.id if whose else None,
        toolkit_rule=tool.rule.id if tool else None,
        toolkit=tool.rule.toolkit if tool else None,
        toolkit_version=tool.version(name) if tool and not (is_product and tool is main) else None,
        product=main.rule.product or None,
        product_version=main.version(name) if is_product else None,
        vendor=main.rule.vendor or None,
        kind=main.rule.kind.value,
        grade=max((rule.grade.value for rule in rules), key=RANK.__getitem__),
    )


#: Form → a version with dots.
_FORMS: Mapping[Form, Callable[[str], str]] = {
    Form.PLAIN: lambda text: text,
    Form.DIGITS: lambda text: ".".join(text),
    Form.UNDERSCORES: lambda text: text.strip("_").replace("_", "."),
}
