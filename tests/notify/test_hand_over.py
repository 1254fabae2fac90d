"""Hand-overs: each recipient's file has its own rows, only its key opens it, and nothing is left in clear."""

import csv
import io
import json
import shutil
import stat
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pyrage
import pytest

from pipeline.errors import CensusError, GuardError, InputError
from pipeline.lake import attestation, read, store
from pipeline.lake.layout import Sweep, SweepPaths
from pipeline.notify import hand_over, hand_over_register
from pipeline.notify.hand_over import HandOverRequest
from pipeline.optout import edit, register
from pipeline.optout.edit import Evidence
from pipeline.optout.register import today
from pipeline.plan import own_ranges
from pipeline.views import connection
from tests.commands.running import census
from tests.notify.exposed import BOOK, Laboratory, laboratory

DOTTED = [f"20.0.0.{n}" for n in (1, 2, 4, 5, 21)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Laboratory:
    return laboratory(tmp_path_factory.mktemp("made"))


@pytest.fixture
def lab(made: Laboratory, tmp_path: Path) -> Laboratory:
    """A copy of the lake and the book for each test."""
    shutil.copytree(made.book.parent, tmp_path, dirs_exist_ok=True)
    return replace(
        made,
        sweep=Sweep(made.sweep.plan, SweepPaths(tmp_path / "lake", made.sweep.paths.id)),
        book=tmp_path / "book.toml",
    )


def hand(lab: Laboratory, **wanted: object) -> dict[str, bytes]:
    """Hand over, and return the files by name."""
    request = replace(HandOverRequest(lab.book, "A. Doe"), **wanted)
    made = hand_over.prepare(lab.lake, None, request)
    files = hand_over.complete(lab.lake, made, lab.book.parent / "out", "A. Doe")
    return {path.name: path.read_bytes() for path in files}


def rows(files: dict[str, bytes], scope: str, key: pyrage.x25519.Identity) -> list[dict[str, str]]:
    """The rows of a recipient's CSV."""
    (data,) = (data for name, data in files.items() if name.endswith(f"{scope}.csv.age"))
    return list(csv.DictReader(io.StringIO(pyrage.decrypt(data, [key]).decode())))


def test_a_cert_gets_its_country_and_nothing_else(lab: Laboratory) -> None:
    """The British file has exactly the British services, by severity, without the honeypot; Germany's has the German ones."""
    files = hand(lab)
    british = rows(files, "gb", lab.gb)
    assert [(row["ip"], row["severity"], row["tag"]) for row in british] == [
        ("20.0.0.1", "high", "dicom;any-ae"),
        ("20.0.0.2", "medium", "dicom;rejected"),
        ("20.0.0.4", "medium", "dicom;aborted"),
        ("20.0.0.5", "high", "dicom;any-ae"),
        ("20.0.0.21", "info", "dicom;client-certificate;tls"),
    ]
    assert british[0]["hostname"] == "pacs.trust.example" and british[0]["sector"] == "healthcare"
    assert british[0]["device_vendor"] == r"Vendor\x1b[31m" and british[0]["response_size"] == "100"
    assert {row["ip"] for row in rows(files, "de", lab.de)} == {f"20.0.1.{n}" for n in range(1, 9)}


def test_only_the_recipients_key_opens_a_file(lab: Laboratory) -> None:
    """Each file opens with the key of its recipient; with the other's none does, and no address is in any as it lies there."""
    for name, data in hand(lab).items():
        own, other = (lab.gb, lab.de) if "-cert-gb-" in name else (lab.de, lab.gb)
        assert pyrage.decrypt(data, [own])
        with pytest.raises(pyrage.DecryptError):
            pyrage.decrypt(data, [other])
        assert b"20.0." not in data


def test_nothing_in_clear_is_left(lab: Laboratory, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whether it ends well or dies as it writes, no file outside of the lake's tables has a row; files are for their user alone."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    real, seen = store.write, []

    def dies(path: Path, data: bytes, **options: bool) -> bool:
        seen.append((data, list(_clear(tmp_path))))
        if len(seen) == 4 and path.suffix == ".age":
            raise CensusError("killed")
        return real(path, data, **options)

    monkeypatch.setattr(store, "write", dies)
    with pytest.raises(CensusError, match="killed"):
        hand(lab)
    assert len(seen) == 4 and all(not clear for _, clear in seen) and not list(_clear(tmp_path))
    assert len(hand_over_register.recorded(lab.lake)) == 2  # recorded before the first file
    monkeypatch.setattr(store, "write", real)
    hand(lab)
    written = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert written and {stat.S_IMODE(path.stat().st_mode) for path in written} == {0o600}
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o700 and not list(_clear(tmp_path))


def _clear(folder: Path) -> list[Path]:
    """Files that have an address of a service in text."""
    tokens = [address.encode() for address in DOTTED]
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".parquet")
    return [path for path in files if any(token in path.read_bytes() for token in tokens)]


def test_a_folder_that_others_may_read_is_refused(lab: Laboratory, tmp_path: Path) -> None:
    """Files are not written beside what others read."""
    (tmp_path / "out").mkdir(mode=0o755)
    with pytest.raises(InputError, match="may be read by others"):
        hand(lab)
    assert hand_over_register.recorded(lab.lake) == ()


def test_who_opted_out_since_the_sweep_is_left_out(lab: Laboratory) -> None:
    """An address that opted out after the sweep is in no file, and its number is told; a register that is gone stops all."""
    edit.add(register.of("", lab.lake), ["20.0.0.0/31"], Evidence("NOC"))
    (gb, _) = hand_over.prepare(lab.lake, None, HandOverRequest(lab.book, "w"))
    assert gb.edition.opted_out == 1 and "20.0.0.1" not in {each.address for each in gb.edition.services}
    (lab.lake / "optout.jsonl").unlink()
    with pytest.raises(InputError, match="the register cannot be read"):
        hand_over.prepare(lab.lake, None, HandOverRequest(lab.book, "w"))


def test_honeypots_are_counted_and_only_handed_over_if_wanted(lab: Laboratory) -> None:
    """The likely honeypot is left out with its number; with `decoys` it is in the file."""
    (gb,) = hand_over.prepare(lab.lake, None, HandOverRequest(lab.book, "w", ("cert-gb",)))
    assert (gb.edition.decoys_left_out, len(gb.edition.services)) == (1, 5)
    (gb,) = hand_over.prepare(lab.lake, None, HandOverRequest(lab.book, "w", ("cert-gb",), decoys=True))
    assert (gb.edition.decoys_left_out, len(gb.edition.services)) == (0, 6)


def test_a_half_waits_and_stays_waiting(lab: Laboratory) -> None:
    """An experiment leaves the same addresses out of the first file and of the next; the table says which, and seals still hold."""
    first = rows(hand(lab, names=("cert-de",), wait=30), "de", lab.de)
    again = rows(hand(lab, names=("cert-de",)), "de", lab.de)
    assert first == again and len(first) < 8
    noted = {row["ip"]: row["notice"] for row in read.rows(lab.sweep.paths, "notices").to_pylist()}
    assert len(noted) == 8 and sum(notice == "informed" for notice in noted.values()) == len(first)
    assert not list(attestation.faults(lab.sweep.paths))
    with connection.connect(lab.lake) as con:
        assert con.execute("SELECT count(*) FROM notices WHERE notice = 'waiting'").fetchone() == (8 - len(first),)


def test_after_the_experiment_all_are_handed_over(lab: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    """The day after its last one, who waited is handed over, and the arms stay as they were drawn."""
    hand(lab, names=("cert-de",), wait=30)
    before = read.rows(lab.sweep.paths, "notices").to_pylist()
    later = today() + timedelta(31)
    monkeypatch.setattr(hand_over_register, "today", lambda: later)
    assert len(rows(hand(lab, names=("cert-de",)), "de", lab.de)) == 8
    assert read.rows(lab.sweep.paths, "notices").to_pylist() == before


def constituency(lab: Laboratory, until: str = "2099") -> Path:
    """Let the owner of two British addresses sign for them, and add them to the book."""
    base, day = lab.book.parent, today()
    last = day + timedelta(30) if until == "2099" else day - timedelta(1)
    own_ranges.make_key(base / "owner.key", base / "owner.pem")
    text = f"owner: Trust\nauditor: census@example.org\nprofile: associate\nfrom: {day - timedelta(9)}\nuntil: {last}\n"
    (base / "ranges.txt").write_text(f"{text}20.0.0.1\n20.0.0.2\n20.0.0.3\n")
    own_ranges.sign(base / "ranges.txt", base / "owner.key", base / "ranges.txt.sig")
    own = 'owner = "Trust"\nranges = "ranges.txt"\nsignature = "ranges.txt.sig"\npublic_key = "owner.pem"'
    entry = '[[recipient]]\nname = "trust"\nkey = "gb.txt"\nformats = ["shadowserver", "openkat"]\n[recipient.constituency]\n'
    lab.book.write_text(BOOK.format(de=lab.de.to_public()) + entry + own)
    return base


def test_an_owner_gets_the_signed_ranges_alone(lab: Laboratory) -> None:
    """A constituency gets the services in the ranges that its owner signed; the register names the owner."""
    constituency(lab)
    found = rows(hand(lab, names=("trust",)), "constituency", lab.gb)
    assert [row["ip"] for row in found] == ["20.0.0.1", "20.0.0.2"]
    (event,) = hand_over_register.recorded(lab.lake)
    assert event.scope == "signed by Trust"  # type: ignore[union-attr]


@pytest.mark.parametrize("fault", ["changed", "ended"])
def test_a_constituency_that_is_not_signed_gets_nothing(lab: Laboratory, fault: str) -> None:
    """A list that was changed after it was signed, or whose last day is over, is refused before anything is written."""
    base = constituency(lab, "2099" if fault == "changed" else "over")
    if fault == "changed":
        with (base / "ranges.txt").open("a") as file:
            file.write("20.0.0.0/24\n")
    with pytest.raises(GuardError, match="not the owner's signature|holds from .* ranges change hands"):
        hand(lab, names=("trust",))
    assert not (base / "out").exists()


def test_a_changed_table_is_not_handed_over(lab: Laboratory) -> None:
    """A table that was changed after it was signed stops the hand-over."""
    hand(lab)
    path = store.file(lab.sweep.paths.sealed("notices"))
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    with pytest.raises(CensusError, match="was changed after it was derived"):
        hand(lab)


def test_the_command_says_what_it_did(lab: Laboratory, tmp_path: Path) -> None:
    """A dry run writes nothing; a run prints the files; the list names who got what, and never the key of a lot."""
    base = ["notify", str(lab.lake)]
    dry = census(*base, "--to", str(lab.book), "--dry-run", "--json")
    gb, de = (json.loads(line) for line in dry.stdout.splitlines())
    assert (gb["services"], gb["high"], gb["info"], gb["decoys_left_out"], de["services"]) == (5, 2, 1, 1, 8)
    assert not (tmp_path / "out").exists() and not (lab.lake / "hand-overs.jsonl").exists()
    made = census(*base, "--to", str(lab.book), "-o", str(tmp_path / "out"), "--recipient", "cert-gb", "--wait", "9")
    assert made.returncode == 0 and "cert-gb (gb): " in made.stderr and ".stix.json.age" in made.stderr
    listed = census(*base, "--list", "--json")
    events = [json.loads(line) for line in listed.stdout.splitlines()]
    assert [event["event"] for event in events] == ["experiment", "hand_over"]
    assert "key" not in events[0] and events[1]["recipient"] == "cert-gb"
    for wrong, fault in (
        (["--recipient", "x", "--to", str(lab.book)], "has no recipient 'x'"),
        ([], "--to: is missing"),
    ):
        ended = census(*base, *wrong)
        assert ended.returncode == 2 and fault in ended.stderr
