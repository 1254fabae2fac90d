"""The table `owners`: the sector of each address's owner, by the rules of `data/reference/owners.toml`.

Names are untrusted: they are cut at 256 characters, and each distinct one is matched once.
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
#: Kinds of networks.
KINDS = ("hosting", "access", "university", "hospital", "government")
UNKNOWN_KIND = "unknown"
CONFIDENCES = ("strong", "medium", "weak")
LONGEST = 256

Names = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class OwnerRule:
    """One rule: a name in this field that matches the pattern indicates the sector, in the listed countries or in all."""

    id: str
    sector: str
    field: str
    pattern: re.Pattern[str]
    countries: frozenset[str]
    confidence: str
    kind: str = ""

    def fits(self, name: str, country: str | None) -> bool:
        """Whether a name indicates the sector."""
        return (not self.countries or country in self.countries) and bool(self.pattern.search(name[:LONGEST]))


@dataclass(frozen=True, slots=True)
class OwnerRules:
    """All rules, in order of precedence, and the SHA-256 of their file."""

    rules: tuple[OwnerRule, ...]
    digest: str

    def match(self, names: Names, country: str | None) -> OwnerRule | None:
        """The first rule that matches any of an address's names, which are given by field."""
        return next(
            (rule for rule in self.rules for name in names.get(rule.field, ()) if rule.fits(name, country)), None
        )

    def where(self, country: str | None) -> str | None:
        """The country if any rule depends on it, otherwise None, so that equal names share one result."""
        return country if any(country in rule.countries for rule in self.rules) else None


@cache
def load(path: Path = RULES) -> OwnerRules:
    """Read the rule file. Raises ValueError for an invalid value."""
    data = path.read_bytes()
    rules = [_rule(entry) for entry in tomllib.loads(data.decode("utf-8"))["rule"]]
    ordered = sorted(rules, key=lambda rule: FIELDS.index(rule.field))
    return OwnerRules(tuple(ordered), hashlib.sha256(data).hexdigest())


def _rule(entry: Mapping[str, object]) -> OwnerRule:
    kinds = KINDS if entry["field"] == "organisation" else ("",)
    for key, allowed in (("sector", SECTORS), ("field", FIELDS), ("confidence", CONFIDENCES), ("kind", kinds)):
        if entry.get(key, "") not in allowed:
            raise ValueError(
                f"owners.toml, rule {entry['id']}, key {key}: {entry.get(key, '')!r} is not one of {allowed}"
            )
    pattern = re.compile(str(entry["pattern"]), re.IGNORECASE)
    listed = entry.get("countries", [])
    countries = frozenset(map(str, listed)) if isinstance(listed, list) else frozenset[str]()
    return OwnerRule(
        str(entry["id"]), str(entry["sector"]), str(entry["field"]), pattern, countries, str(entry["confidence"]),
        str(entry.get("kind", "")),
    )  # fmt: skip


def owners(
    ips: pa.ChunkedArray, locations: pa.Table, tls: pa.Table, host_names: pa.Table, rules: OwnerRules
) -> pa.Table:
    """One row for each distinct address, sorted: the sector of its owner and the rule that decided it.

    `host_names` has only names that resolve back to their address.
    """
    locations_by_ip = {row["ip"]: row for row in locations.select(["ip", "country", "organisation"]).to_pylist()}
    certificates = _certificates(tls)
    host_names_by_ip = dict(zip(host_names["ip"].to_pylist(), map(tuple, host_names["names"].to_pylist()), strict=True))
    matches: dict[tuple[object, ...], OwnerRule | None] = {}
    rows = []
    for ip in sorted(set(ips.to_pylist())):
        location = locations_by_ip.get(ip, {})
        holder = location.get("organisation")
        names, hosts = tuple(certificates.get(ip, ())), host_names_by_ip.get(ip, ())
        key = (location.get("country"), holder, names, hosts)
        if key not in matches:
            by_field = {"organisation": [holder] if holder else [], "certificate": names, "host": hosts}
            matches[key] = rules.match(by_field, location.get("country"))
        rows.append(_row(ip, matches[key], rules.digest))
    return pa.Table.from_pylist(rows, schema=schema.table("owners").arrow)


def _row(ip: int, rule: OwnerRule | None, digest: str) -> dict[str, object]:
    match = (
        {"sector": rule.sector, "rule": rule.id, "field": rule.field, "confidence": rule.confidence}
        if rule
        else {"sector": "unknown", "rule": None, "field": None, "confidence": None}
    )
    return {"ip": ip, **match, "rules_digest": digest}


def _certificates(tls: pa.Table) -> dict[int, list[str]]:
    """The names in each address's leaf certificate, sorted."""
    names_by_ip: dict[int, set[str]] = {}
    for row in tls.select(["ip", "chain"]).to_pylist():
        for leaf in (row["chain"] or ())[:1]:
            names_by_ip.setdefault(row["ip"], set()).update(_names(leaf))
    return {ip: sorted(names) for ip, names in names_by_ip.items()}


def _names(leaf: Mapping[str, object]) -> Iterator[str]:
    """The organisation, subject and alternative names of a certificate."""
    for key in ("subject_organization", "subject"):
        if isinstance(text := leaf.get(key), str) and text:
            yield text
    alternative = leaf.get("san")
    yield from (name for name in (alternative if isinstance(alternative, list) else ()) if name)
