"""A signature holds for an owner, an auditor, profiles and days; a list that does not say so, or claims too much, is refused."""

from datetime import date, timedelta
from pathlib import Path

import msgspec
import pytest

from pipeline.config.sections import OwnSection, Profile
from pipeline.errors import GuardError
from pipeline.plan import own_ranges, terms
from pipeline.space import blocklist
from pipeline.space.ranges import Ranges
from pipeline.sweep import freeze
from pipeline.worker import mandate
from tests import owner
from tests.owner import hospital, signed_list

AGREED = "owner: A\nauditor: a@example.org\nprofile: echo, tls\nfrom: 2026-12-01\nuntil: 2027-02-28\n"
TODAY = date(2026, 12, 24)


def test_what_was_agreed_is_read() -> None:
    """The lines are read wherever they stand, and are no ranges; the first of each counts."""
    agreed = terms.read("10.0.0.0/30\n" + AGREED + "until: 2099-01-01\n")
    assert (agreed.owner, agreed.auditor, agreed.profiles) == ("A", "a@example.org", (Profile.ECHO, Profile.TLS))
    assert (agreed.begin, agreed.until) == (date(2026, 12, 1), date(2027, 2, 28))
    assert terms.split(AGREED + "10.0.0.0/30  # owner: B")[1] == ["10.0.0.0/30  # owner: B"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("owner: A\n", ""), "lacks the lines owner: .*Have the owner add them and sign the list again"),
        (("until: 2027-02-28\n", ""), "lacks the lines until"),
        (("from: 2026-12-01\nuntil: 2027-02-28\n", ""), "lacks the lines from, until"),
        (("auditor: a@example.org", "auditor:"), "lacks the lines auditor"),
        (("echo, tls", "echo, all"), "has the profile 'all'; there are associate"),
        (("2027-02-28", "28 February"), "is not a date"),
        (("2027-02-28", "2028-02-28"), "must be 1 to 366 days"),
        (("2027-02-28", "2026-11-30"), "must be 1 to 366 days"),
    ],
)
def test_lists_that_do_not_say_what_was_agreed(change: tuple[str, str], reason: str) -> None:
    """What is missing or odd is named, with what the owner has to do."""
    with pytest.raises(GuardError, match=reason):
        terms.read(AGREED.replace(*change))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"owner": "B"}, "signed for 'A', and key own.owner is 'B'"),
        ({"auditor": "b@example.org"}, "key identity.contact is 'b@example.org'"),
        ({"profile": Profile.CAPABILITIES}, "signed for the profiles echo, tls, and the sweep has `capabilities`"),
        ({"today": date(2026, 11, 30)}, "holds from 2026-12-01 until 2027-02-28, and today is 2026-11-30"),
        ({"today": date(2027, 3, 1)}, "have the owner sign the list again"),
    ],
)
def test_another_use_than_was_agreed(change: dict[str, object], reason: str) -> None:
    """The same signature under another owner, auditor or profile, or on another day, is refused."""
    use = {"owner": "A", "auditor": "a@example.org", "profile": Profile.ECHO, "today": TODAY}
    terms.read(AGREED).require(**use)  # type: ignore[arg-type]
    for day in (date(2026, 12, 1), date(2027, 2, 28)):
        terms.read(AGREED).require(**(use | {"today": day}))  # type: ignore[arg-type]
    with pytest.raises(GuardError, match=reason):
        terms.read(AGREED).require(**(use | change))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "claimed",
    [
        "0.0.0.0/0",
        "224.0.0.0/24",
        "127.0.0.1",
        "100.64.0.0/10",
        "169.254.169.254",
        "10.0.0.0/7",
        "20.0.0.0/8\n30.0.0.0/30",
    ],
)
def test_what_nobody_owns(claimed: str, tmp_path: Path) -> None:
    """A fresh key over everything, over special-purpose space or over more than a /8 is refused, at signing and at reading."""
    names = signed_list(tmp_path, claimed)
    with pytest.raises(GuardError, match="the signed list has"):
        own_ranges.read(OwnSection(owner="St Example", **names), tmp_path)
    own_ranges.make_key(tmp_path / "k", tmp_path / "k.pem")
    with pytest.raises(GuardError, match="the signed list has"):
        own_ranges.sign(tmp_path / "ranges.txt", tmp_path / "k", tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_what_an_owner_has() -> None:
    """Public blocks and private ones have owners, up to a /8."""
    for pairs in ([(20 << 24, (21 << 24) - 1)], [(10 << 24, (11 << 24) - 1)]):
        blocklist.require_ownable(Ranges.of(pairs))


def test_a_plan_keeps_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No plan is frozen for another profile than was agreed; one that is frozen is not run after the last day."""
    config = hospital(tmp_path, "echo")
    plan = freeze.freeze(config)
    mandate.require(plan)
    assert plan.signed_ranges
    past = owner.terms(owner.OWNER, until=str(date.today() - timedelta(days=1)))
    names = signed_list(tmp_path, owner.SIGNED, past.replace("from: ", "from: 2026-01-01\nfrom: "))
    expired = own_ranges.read(OwnSection(owner=owner.OWNER, **names), tmp_path)
    with pytest.raises(GuardError, match="have the owner sign the list again"):
        mandate.require(freeze.sign_plan(msgspec.structs.replace(plan, signed_ranges=expired)))
    with pytest.raises(GuardError, match="have the owner sign the list again"):
        freeze.freeze(config)
    names = signed_list(tmp_path, owner.SIGNED, owner.terms(owner.OWNER, profile="tls"))
    with pytest.raises(GuardError, match="signed for the profiles tls"):
        freeze.freeze(config)
