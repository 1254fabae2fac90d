"""Declared identities: the longest root wins, then the version name."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.enrich import identity, ruleset
from pipeline.enrich.identity import Identities, IdentityRule, ImplementationKind, VersionForm
from pipeline.enrich.rule import EvidenceGrade
from pipeline.errors import InputError

HERE = Path("here.toml")
COMPONENTS = st.lists(st.integers(0, 3), min_size=1, max_size=6)
KNOWN = ruleset.load().identities


def rule(id: str, **more: Any) -> IdentityRule:
    given = {"kind": ImplementationKind.TOOLKIT, "grade": EvidenceGrade.SEEN, "evidence": "e", "vendor": id}
    return IdentityRule(id=id, **given | more)


def compiled(*rules: IdentityRule) -> Identities:
    return identity.compile_rules(HERE, rules)


def dotted(components: list[int]) -> str:
    return ".".join(map(str, [1, *components]))


@given(st.lists(COMPONENTS, unique_by=tuple), COMPONENTS)
def test_the_longest_root_wins(roots: list[list[int]], uid: list[int]) -> None:
    """Of all roots of the UID, the longest is taken, as a plain search finds it."""
    rules = compiled(*(rule(f"r{number}", uid_root=dotted(root)) for number, root in enumerate(roots)))
    fitting = [number for number, root in enumerate(roots) if uid[: len(root)] == root]
    longest = max(fitting, key=lambda number: len(roots[number]), default=None)
    expected = None if longest is None else f"r{longest}"
    assert rules.match(dotted(uid), None).identity_rule == expected


def test_roots_end_between_components() -> None:
    """Roots end between components: 1.2.8 is not a root of 1.2.84."""
    rules = compiled(rule("short", uid_root="1.2.8"))
    assert rules.match("1.2.8", None).identity_rule == "short"
    assert rules.match("1.2.8.4", None).identity_rule == "short"
    assert rules.match("1.2.84", None).identity_rule is None


def test_a_fitting_version_name_goes_first() -> None:
    """At one root the rule with a matching pattern wins; if no pattern matches, a shorter root is tried."""
    rules = compiled(
        rule("owner", uid_root="1.2"),
        rule("named", uid_root="1.2.3", version_name="^A$"),
        rule("other", uid_root="1.2.3", version_name="^B$"),
    )
    matched = [rules.match("1.2.3.4", name).identity_rule for name in ("A", "B", "C", None)]
    assert matched == ["named", "other", "owner", "owner"]


@pytest.mark.parametrize(
    ("uid", "name", "expected"),
    [
        ("1.2.276.0.7230010.3.0.3.6.9", "OFFIS_DCMTK_369", ("dcmtk", "DCMTK", "3.6.9", None, None)),
        ("1.2.276.0.7230010.3.0.3.6.9", "MYPACS", ("dcmtk-uid", "DCMTK", None, None, None)),
        ("1.2.276.0.7238010.5.0.3.5.4", "OFFIS_DCMTK_360", ("horos", "DCMTK", "3.6.0", "Horos or OsiriX", None)),
        ("1.2.276.0.7238010.5.0.3.5.4", "OSIRIX", ("horos", None, None, "Horos or OsiriX", None)),
        ("1.2.40.0.13.1.3", "EntImaging-8.3.2", ("agfa-enterprise-imaging", "dcm4che", None, "Enterprise Imaging", "8.3.2")),
        ("1.2.40.0.13.1.3", "dcm4che-5.29.2", ("dcm4che-5", "dcm4che", "5.29.2", None, None)),
        ("1.2.40.0.13.1.1.1", "dcm4che-1.4.35", ("dcm4che-2", "dcm4che", "1.4.35", None, None)),
        ("1.2.246.352.70.2.1.120.1", "MergeCOM3_410", ("varian", "MergeCOM-3", "4.1.0", None, None)),
        ("1.3.12.2.1107.5.2.8", "MR_VB19A", ("siemens-mr", None, None, "syngo MR", "VB19A")),
        ("1.2.840.113845.1.1", "Syn7,3,0,1", ("fujifilm-synapse", None, None, "Synapse", "7,3,0,1")),
        ("1.2.840.113619.6.281", "Xeleris 4.1170", ("ge-xeleris", None, None, "Xeleris", "4.1170")),
        ("1.2.840.113619.6.144", "AW4_2_06", ("ge-aw", None, None, "Advantage Workstation", "4.2.06")),
        ("1.2.826.0.1.3680043.2.135.1066.101", "1.5.0/WIN32", ("conquest", None, None, "Conquest", "1.5.0")),
        (None, "OFFIS_DCMTK_367", (None, "DCMTK", "3.6.7", None, None)),
        ("1.9.9", "nobody", (None, None, None, None, None)),
        (None, None, (None, None, None, None, None)),
    ],
)  # fmt: skip
def test_known_identities(uid: str | None, name: str | None, expected: tuple[str | None, ...]) -> None:
    """Toolkit and product are distinguished, each with the version from the version name."""
    result = KNOWN.match(uid, name)
    names = (result.identity_rule, result.toolkit, result.toolkit_version, result.product, result.product_version)
    assert names == expected


def test_the_weaker_evidence_grades_the_whole() -> None:
    """A product by one rule and its toolkit by another have the weaker grade of both."""
    rules = compiled(
        rule("product", uid_root="1.2", product="P", grade=EvidenceGrade.QUOTED),
        rule("toolkit", version_name="^T$", toolkit="T", grade=EvidenceGrade.UNVERIFIED),
    )
    assert rules.match("1.2.3", "T").grade == "NV" and rules.match("1.2.3", "x").grade == "W"


@pytest.mark.parametrize("uid", ["", ".", "1..2", "01.2", "1.02", "1.2.", "a.b", "1.2\n", "3.1", "1." + "2" * 64])
def test_what_is_no_uid_is_nobodys(uid: str) -> None:
    """Texts that are not UIDs match no root."""
    assert KNOWN.match(uid, None).identity_rule is None


@given(st.none() | st.text(max_size=130), st.none() | st.text(max_size=130))
def test_any_declaration_is_matched(uid: str | None, name: str | None) -> None:
    """Any declaration gives an identity, known or not."""
    assert isinstance(KNOWN.match(uid, name), identity.Identity)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({}, "needs uid_root or version_name"),
        ({"uid_root": "1.02"}, "is not a UID"),
        ({"version_name": "^A$"}, "fill in key toolkit"),
        ({"uid_root": "1.2", "vendor": ""}, "identifies nothing"),
        ({"uid_root": "1.2", "version_name": "^(?P<v>A)$"}, "named group"),
        ({"uid_root": "1.2", "version_name": "^(A$"}, "is not a regular expression"),
    ],
)
def test_empty_rules_are_refused(more: dict[str, Any], reason: str) -> None:
    """A rule that cannot match or names nothing is refused by its id."""
    with pytest.raises(InputError, match=f"here.toml, id r.*{reason}"):
        compiled(rule("r", **more))


def test_equal_rules_are_refused() -> None:
    """Two rules with the same root and pattern are refused: one would hide the other."""
    with pytest.raises(InputError, match="same uid_root"):
        compiled(rule("a", uid_root="1.2"), rule("b", uid_root="1.2"))


def test_forms_of_versions() -> None:
    """A version is read in the notation of its rule."""
    written = {VersionForm.PLAIN: "1_1", VersionForm.DIGITS: "3.6.7", VersionForm.UNDERSCORES: "1.1"}
    for form, expected in written.items():
        name = "N367" if form is VersionForm.DIGITS else "N1_1"
        one = rule("n", version_name=r"^N(?P<version>[\d_]+)$", version_form=form, toolkit="N")
        assert compiled(one).match(None, name).toolkit_version == expected
