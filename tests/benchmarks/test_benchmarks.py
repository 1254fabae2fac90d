"""Every benchmark runs, in a small setting, and prints the figures that docs/benchmarks.md describes."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.testbed.running import ROOT, environment

#: Arguments that make the benchmark short, and the words that it must print.
BENCHMARKS = {
    "permutation_quality": (["--keys", "2"], r"rounds"),
    "walk": (["--blocks", "5"], r"(?s)dicom-census +[\d.]+ ns a target.*zmap --dryrun.*masscan -sL.*memory: \d+ MB"),
    "send": (
        ["--rounds", "1", "--seconds", "0.3"],
        r"(?s)filling a frame: \d+ ns.*a /4 of targets: \d+ ns, \d+ MB.*dicom-census +1.*census, xdp +1"
        r".*census, xdp-live +1.*live frames alone +1.*zmap +1.*masscan"
        r".*census +2.*unfilled +2",
    ),
    "pace": (  # a slow sender wakes less than a hundred times a second
        ["--rates", "1000", "--seconds", "4", "--engines", "ring", "xdp", "--against", "."],
        r"\S+ +(ring|xdp) +1,000 +[\d,]+ +[-+.\d]+% +\d+ +20 +\d+ +[.\d]+% +\d?\d\n" * 4,
    ),
    "greetings": (
        ["--rate", "2000", "--seconds", "1"],
        r"(?s)greetings a second +[\d,]+.*engine-0 +[\d.]+.*internet +[\d.]+.*others"
        r".*ours [\d.]+, the internet's [\d.]+, the kernel's [\d.]+.*frames alone +[\d.]+ µs.*received by AF_XDP +[\d.]+ µs",
    ),
    "unwanted": (
        ["--seconds", "1", "--forged", "5000"],
        r"alone +[\d.]+ cores, +0 forged a second, 0 lost\nflooded .*, +[1-9][\d,]* forged.*\na forged packet costs the sender",
    ),
    "wheel": (
        ["--hosts", "20000", "--over", "1"],
        r"(?s)20,000 of 20,000 in the table at once.*bytes a host.*deadlines late",
    ),
    "recall": (["--bits", "14", "--worlds", "1"], r"no loss +[\d,]+ +[\d,]+( +100.00%){4} .*\] covers +4 covers "),
    "decode": ([], r"pynetdicom µs"),
    "visits": (
        ["--visits", "40"],
        r"(?s)dicom-census, 2 processes +[\d,]+.*bare epoll loop, 2.*pynetdicom.*echoscu.*nmap",
    ),
    "analysis": (
        ["--weeks", "2", "--services", "200", "--responses", "3000", "--full", "5000", "--blocks", "3000"],
        r"(?s)2 sweeps of 200 services.*\nrecaptures .*slowest query: .*whole report: .*enriched and aggregated: .*memory: \d+ MB",
    ),
    "lookups": (
        ["--million", "1", "--networks", "10000", "--theirs", "10000"],
        r"(?s)the same answer for.*dicom-census, sorted .*maxminddb, pure Python",
    ),
    "bytes": (["20000"], r"(?s)responses +bytes a row +[\d.]+.*associations +CPU at 20,000 results a second"),
    "layout": (
        ["--responses", "20000", "--runs", "1", "--orders", "2"],
        r"(?s)ip, port \(in use\).*responses, bytes a row +[\d.]+.*least held at the seal +0.0%"
        r".*all marts +\d+ ms +[\d.]+×.*response_twice +\d+ ms.*one address",
    ),
    "writing": (
        ["--seconds", "1"],
        r"(?s)results to columns.*messages.*journals.*deduplication.*parts.*seal.*share where 1 of +185.0 targets answers",
    ),
    "flow": (
        ["--shards", "2", "--ranges", "100"],
        r"(?s)2 shards: census work .*overhead: -?[\d.]+ s a shard.*ranges in 512 shards: first probe after [\d.]+ s",
    ),
    "site": (
        ["--weeks", "3", "--countries", "4"],
        r"(?s)3 weekly sweeps: [\d.]+ s of 300.*one sweep more: [\d.]+ s of 30\n.*old sweeps that changed: 0\n",
    ),
    "whole_sweep": (
        ["--bits", "16", "--against", "."],
        r"(?s)\S+ +(xdp-live|xdp|ring) +[\d. ]+ [\d,]+ +328 +100.000% .* 1.00×\n\S+ .*× *\n",
    ),
    "focus": (["--worlds", "10", "--weeks", "1"], r"(?s)lively .*whole +100.00% +100.00%\n.*focus +7.88% +98\.\d+%"),
    "silent": (["--peers", "100", "--over", "0.5"], r"(?s)100 of 100 silent, 100 open at once.*deadlines late by"),
}


def test_all_are_here() -> None:
    """No benchmark is missing in `make bench`, in this test or on the page."""
    files = {path.stem for path in (ROOT / "benchmarks").glob("*.py")} - {
        "__init__",
        "af_xdp",
        "bare",
        "copied_weeks",
        "far_end",
        "frames",
        "peer",
        "networks",
        "scale",
        "weeks",
    }
    listed = re.search(r"^BENCHMARKS := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    page = (ROOT / "docs" / "benchmarks.md").read_text()
    assert listed and set(listed[1].split()) == files == set(BENCHMARKS)
    assert [name for name in files if f"benchmarks.{name}" not in page] == []


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", BENCHMARKS)
def test_it_runs(name: str, tmp_path: Path) -> None:
    """The benchmark runs to its end and prints its table."""
    options, printed = BENCHMARKS[name]
    words = [sys.executable, "-m", f"benchmarks.{name}", *options]
    ended = subprocess.run(words, cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True, timeout=800)
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert re.search(printed, ended.stdout), ended.stdout
