"""The rule files are sound; invalid ones are refused with file, place and reason."""

from pathlib import Path

import pytest

from pipeline.enrich import ruleset
from pipeline.errors import InputError

RULES = ruleset.load()
HEAD = 'version = 1\n[[arc]]\nprefix = ""\nlevels = 4\n'
IDENTITY = (
    '[[identity]]\nid = "a"\nuid_root = "1.2.3"\ntoolkit = "T"\nkind = "toolkit"\ngrade = "L"\nevidence = "seen"\n'
)
BEHAVIOUR = (
    '[[behaviour]]\nid = "b"\nimplementation = "T"\nidentities = ["a"]\ngrade = "L"\nevidence = "seen"\n'
    "[behaviour.when]\nmax_pdu = 5\n"
)
SUSPICION = (
    '[[suspicion]]\nid = "s"\nclass = "honeypot"\ngrade = "L"\nmeaning = "Odd."\nevidence = "seen"\n'
    "[suspicion.when]\nmax_pdu = 5\n"
)


def load(
    folder: Path, implementations: str = HEAD + IDENTITY + BEHAVIOUR, suspicions: str = SUSPICION
) -> ruleset.Ruleset:
    first, second = folder / "i.toml", folder / "s.toml"
    first.write_text(implementations, "utf-8")
    second.write_text(suspicions, "utf-8")
    return ruleset.load(first, second)


def test_small_files_load(tmp_path: Path) -> None:
    """The texts that the other tests break are valid."""
    rules = load(tmp_path)
    assert rules.identities.match("1.2.3.4", None).toolkit == "T"
    assert len(rules.digest) == 64 and rules.digest != RULES.digest


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('kind = "toolkit"', 'kind = "toaster"', r"i\.toml, key identity\[0\]\.kind: .*toaster"),
        ('grade = "L"', 'grade = "A"', r"i\.toml, key identity\[0\]\.grade: "),
        ('toolkit = "T"', 'tool = "T"', r"i\.toml, key identity\[0\]\.tool: is unknown; did you mean toolkit"),
        ('toolkit = "T"', "toolkit = 5", r"i\.toml, key identity\[0\]\.toolkit: "),
        ('id = "a"\n', "", r"i\.toml, key identity\[0\]\.id: is missing"),
        ('id = "a"', 'id = "A b"', r"i\.toml, id 'A b': "),
        ('evidence = "seen"', 'evidence = " "', r"i\.toml, id a, key evidence: "),
        ('uid_root = "1.2.3"\n', "", r"i\.toml, id a: needs uid_root or version_name, or else when"),
        ('evidence = "seen"\n', 'evidence = "seen"\nwhen = { max_pdu = 5 }\n', r"i\.toml, id a: needs uid_root"),
        ('uid_root = "1.2.3"', "when = { speed = 5 }", r"i\.toml, id a, key when\.speed: is not a feature"),
        ('uid_root = "1.2.3"', 'uid_root = "1.2."', r"i\.toml, id a, key uid_root: "),
        ('uid_root = "1.2.3"', 'uid_root = "1.2.3"\nversion_name = "^(a+)+$"', r"i\.toml, id a, key version_name: "),
        ('identities = ["a"]', 'identities = ["x"]', r"i\.toml, id b, key identities: .*x"),
        ('identities = ["a"]', "identities = []", r"i\.toml, id b, key identities: "),
        ("max_pdu = 5", "max_pdu = 5\nspeed = 1", r"i\.toml, id b, key when\.speed: is not a feature"),
        ("max_pdu = 5", 'max_pdu = "5"', r"i\.toml, id b, key when\.max_pdu: must be of type int"),
        ("levels = 4", "levels = -4", r"i\.toml, arc '', key levels: "),
        (IDENTITY, IDENTITY + IDENTITY, r"i\.toml, id a: is listed twice"),
        ("version = 1", "version = ", r"i\.toml: is not TOML"),
    ],
)
def test_wrong_implementations_are_refused(tmp_path: Path, old: str, new: str, reason: str) -> None:
    """Unknown keys and values, bad patterns, repeated ids and empty rules are refused with their place."""
    good = HEAD + IDENTITY + BEHAVIOUR
    assert old in good
    with pytest.raises(InputError, match=reason):
        load(tmp_path, good.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('class = "honeypot"', 'class = "bad"', r"s\.toml, key suspicion\[0\]\.class: "),
        ('meaning = "Odd."', 'meaning = "odd"', r"s\.toml, id s, key meaning: "),
        ("max_pdu = 5", "max_pdu = { least = 5 }", r"s\.toml, key suspicion\[0\]\.when"),
        ("max_pdu = 5\n", "", r"s\.toml, id s, key when: must name a feature"),
        (SUSPICION, SUSPICION + SUSPICION, r"s\.toml, id s: is listed twice"),
    ],
)
def test_wrong_suspicions_are_refused(tmp_path: Path, old: str, new: str, reason: str) -> None:
    """A suspicion of an unknown class, without a sentence or without a reason is refused."""
    with pytest.raises(InputError, match=reason):
        load(tmp_path, suspicions=SUSPICION.replace(old, new, 1))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A missing file is an input error."""
    with pytest.raises(InputError, match="cannot be read"):
        ruleset.load(tmp_path / "absent.toml")


def test_a_toolkit_goes_by_one_name() -> None:
    """Behaviours are of implementations that identities name, and their conditions are on known features."""
    names = {name for rule in RULES.identity_rules for name in (rule.toolkit, rule.product)}
    assert {rule.implementation for rule in RULES.behaviours} <= names


def test_a_product_is_named_without_notes() -> None:
    """No name of a product or toolkit has a note in brackets, such as the AE title by which somebody called his device."""
    names = {name for rule in RULES.identity_rules for name in (rule.toolkit, rule.product, rule.vendor) if name}
    assert not [name for name in names if "(" in name or "title" in name.lower()]


def test_trials_are_of_rules_and_change_the_digest(tmp_path: Path) -> None:
    """Trials are read beside the rules and belong to what the digest identifies; a rule without one was tried on nothing."""
    trials = tmp_path / "t.toml"
    trials.write_text("captures = 2\n[identity]\na = { tried = 2, wrong = 1 }\n[mismatch]\n[suspicion]\n", "utf-8")
    first, second = tmp_path / "i.toml", tmp_path / "s.toml"
    plain = load(tmp_path)
    rules = ruleset.load(first, second, trials)
    assert rules.trials.identity == {"a": ruleset.Trial(tried=2, wrong=1)}
    assert rules.trials.suspicion.get("s", ruleset.Trial()) == ruleset.Trial(tried=0, wrong=0)
    assert rules.digest != plain.digest
