"""The table `owners`: which sector the owner of an address belongs to, by the rules of `data/reference/owners.toml`.

Names were written by others: they are cut at 256 characters, and each distinct one is looked at once.
"""

import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pyarrow as pa

from pipeline import checkout, schema

RULES = checkout.REFERENCE / "owners.toml"
FIELDS = ("host", "certificate", "organisation")
SECTORS = ("healthcare", "education", "government", "hosting", "access", "unknown")
#: What a network is, by its holder's name.
KINDS = ("hosting", "access", "university", "hospital", "government")
UNKNOWN_KIND = "unknown"
CONFIDENCES = ("strong", "medium", "weak")
LONGEST = 256

Names = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the file: names of a field that fit the pattern speak for a sector, in the countries given or in all."""

    id: str
    sector: str
    field: str
    pattern: re.Pattern[str]
    countries: frozenset[str]
    confidence: str
    kind: str = ""

    def fits(self, name: str, country: str | None) -> bool:
        """Whether a name speaks for the sector."""
        return (not self.countries or country in self.countries) and bool(self.pattern.search(name[:LONGEST]))


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules, in their order of precedence, and the SHA-256 of their file."""

    rules: tuple[Rule, ...]
    digest: str

    def match(self, names: Names, country: str | None) -> Rule | None:
        """The first rule that fits any of an address's names, given by field."""
        return next(
            (rule for rule in self.rules for name in names.get(rule.field, ()) if rule.fits(name, country)), None
        )

    def where(self, country: str | None) -> str | None:
        """The country if any rule asks for it, else None: names are then judged alike."""
        return country if any(country in rule.countries for rule in self.rules) else None


@cache
def load(path: Path = RULES) -> Rules:
    """Read the rule file. Raises ValueError where it is wrong."""
    data = path.read_bytes()
    rules = [_rule(entry) for entry in tomllib.loads(data.decode("utf-8"))["rule"]]
    ordered = sorted(rules, key=lambda rule: FIELDS.index(rule.field))
    return Rules(tuple(ordered), hashlib.sha256(data).hexdigest())


def _rule(entry: Mapping[str, object]) -> Rule:
    kinds = KINDS if entry["field"] == "organisation" else ("",)
    for key, allowed in (("sector", SECTORS), ("field", FIELDS), ("confidence", CONFIDENCES), ("kind", kinds)):
        if entry.get(key, "") not in allowed:
            raise ValueError(
                f"owners.toml, rule {entry['id']}, key {key}: {entry.get(key, '')!r} is not one of {allowed}"
            )
    pattern = re.compile(str(entry["pattern"]), re.IGNORECASE)
    listed = entry.get("countries", [])
    countries = frozenset(map(str, listed)) if isinstance(listed, list) else frozenset[str]()
    return Rule(
        str(entry["id"]), str(entry["sector"]), str(entry["field"]), pattern, countries, str(entry["confidence"]),
        str(entry.get("kind", "")),
    )  # fmt: skip


def owners(ips: pa.ChunkedArray, locations: pa.Table, tls: pa.Table, host_names: pa.Table, rules: Rules) -> pa.Table:
    """One row for each distinct address, sorted: the sector of its owner and the rule that says so.

    Of `host_names` only those count that lead back to their address.
    """
    places = {row["ip"]: row for row in locations.select(["ip", "country", "organisation"]).to_pylist()}
    shown = _certificates(tls)
    called = dict(zip(host_names["ip"].to_pylist(), map(tuple, host_names["names"].to_pylist()), strict=True))
    known: dict[tuple[object, ...], Rule | None] = {}
    rows = []
    for ip in sorted(set(ips.to_pylist())):
        place = places.get(ip, {})
        holder, names, hosts = place.get("organisation"), tuple(shown.get(ip, ())), called.get(ip, ())
        key = (place.get("country"), holder, names, hosts)
        if key not in known:
            by_field = {"organisation": [holder] if holder else [], "certificate": names, "host": hosts}
            known[key] = rules.match(by_field, place.get("country"))
        rows.append(_row(ip, known[key], rules.digest))
    return pa.Table.from_pylist(rows, schema=schema.table("owners").arrow)


def _row(ip: int, rule: Rule | None, digest: str) -> dict[str, object]:
    said = (
        {"sector": rule.sector, "rule": rule.id, "field": rule.field, "confidence": rule.confidence}
        if rule
        else {"sector": "unknown", "rule": None, "field": None, "confidence": None}
    )
    return {"ip": ip, **said, "rules_digest": digest}


def _certificates(tls: pa.Table) -> dict[int, list[str]]:
    """The names in the leaf that each address showed, sorted."""
    found: dict[int, set[str]] = {}
    for row in tls.select(["ip", "chain"]).to_pylist():
        for leaf in (row["chain"] or ())[:1]:
            found.setdefault(row["ip"], set()).update(_names(leaf))
    return {ip: sorted(names) for ip, names in found.items()}


def _names(leaf: Mapping[str, object]) -> Iterator[str]:
    """Organisation, subject and alternative names of a certificate."""
    for key in ("subject_organization", "subject"):
        if isinstance(text := leaf.get(key), str) and text:
            yield text
    alternative = leaf.get("san")
    yield from (name for name in (alternative if isinstance(alternative, list) else ()) if name)
