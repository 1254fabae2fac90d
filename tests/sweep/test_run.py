"""A whole sweep over real servers, compared with the testbed's ground truth and with every byte on the wire."""

import hashlib
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import dpkt
import msgspec
import pyarrow.parquet as pq
import pytest

from pipeline.console import progress
from pipeline.enrich import geo
from pipeline.errors import GuardError, InputError
from pipeline.lake import layout, parts, receipts, verify
from pipeline.lake.layout import Sweep
from pipeline.outcome import SPEAKS_DICOM
from pipeline.plan.plan import Plan
from pipeline.record.receipt import Receipt
from pipeline.status import snapshot as watched
from pipeline.sweep import enrichment, freeze, run
from pipeline.testbed import spec, truth
from pipeline.views import connection
from pipeline.wire.outgoing import Outgoing
from tests.testbed.running import CENSUS, ROOT, VANTAGE, environment, frozen, in_testbed, packets, streams, timed

DEMO = ROOT / "data" / "testbed" / "demo-sweep.toml"
TESTBED = ROOT / "data" / "testbed" / "demo.toml"
TRUTH = truth.truth(spec.load(TESTBED))
SYN, ACK, RST, FIN, PUSH = 0x02, 0x10, 0x04, 0x01, 0x08


def around(folder: Path, prefix: int, **changed: object) -> Path:
    """The demo's sweep with changed settings, over only the blocks around its hosts: the same answers, fewer targets."""
    blocks = sorted({IPv4Network((t.address, prefix), strict=False) for t in TRUTH})
    (folder / "targets.txt").write_text("\n".join(map(str, blocks)), "utf-8")
    text = (
        DEMO.read_text("utf-8")
        .replace('"demo-targets.txt"', '"targets.txt"')
        .replace('"demo-exc', f'"{DEMO.parent}/demo-exc')
    )
    for name, value in changed.items():
        text = re.sub(rf"^{name} = .*$", f"{name} = {value}", text, flags=re.M)
    (folder / "sweep.toml").write_text(text, "utf-8")
    return folder / "sweep.toml"


#: Servers of the demo on companion ports: real listeners, and a filter. The last one is at a host that speaks no DICOM.
BESIDE = (
    ("web", 80, ("89.241.32.9", "89.241.44.67", "147.224.213.22"), "not_dicom"),
    ("silent", 2575, ("89.241.32.9", "89.241.50.112"), "silent"),
    ("unreachable", 2575, ("89.241.44.67",), None),
    ("web", 2575, ("89.241.34.60",), "not_dicom"),
)
COMPANIONS = (80, 2575)


def accompanied(config: Path, delay: float) -> Path:
    """Add companion ports to a configuration; return the specification of the demo's testbed with servers there."""
    ports = f"[companions]\nports = {list(COMPANIONS)}\ndelay = {delay}\n"
    config.write_text(f"{config.read_text('utf-8')}\n{ports}", "utf-8")
    more = "".join(
        f'\n[[stand]]\nserver = "{server}"\nport = {port}\naddresses = {list(addresses)}\ncountry = "GB"\n'
        + (f'outcome = "{outcome}"\n' if outcome else "")
        for server, port, addresses, outcome in BESIDE
    ).replace("'", '"')
    (config.parent / "testbed.toml").write_text(TESTBED.read_text("utf-8") + more, "utf-8")
    return config.parent / "testbed.toml"


def truth_beside() -> dict[tuple[int, int], str]:
    """What is there on each companion port of each address that speaks DICOM."""
    speaking = {t.address for t in TRUTH if t.outcome in SPEAKS_DICOM and not t.excluded}
    answers = {"web": "open", "silent": "open", "unreachable": "silent"}
    there = {(int(IPv4Address(a)), port): answers[server] for server, port, where, _ in BESIDE for a in where}
    return {(address, port): there.get((address, port), "closed") for address in speaking for port in COMPANIONS}


def refreeze(plan: Plan, **changes: object) -> Plan:
    """The plan with changed fields, digest and signature, as another program of the lab would have frozen it."""
    return freeze.sign_plan(msgspec.structs.replace(plan, **changes))


def test_a_plan_of_another_program_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan whose code, requests or special-purpose list differ from this program's is refused, and the field is named."""
    monkeypatch.delenv("CENSUS_ONLY_TESTBED", raising=False)
    plan = freeze.freeze(DEMO)
    freeze.check(plan)
    digests = msgspec.structs.replace(plan.digests, special_purpose="00")
    for field, change in (
        ("code_version", {"code_version": "0.0.9+0123456789ab"}),
        ("requests.request", {"requests": plan.requests | {"request": "00"}}),
        ("digests.special_purpose", {"digests": digests}),
    ):
        with pytest.raises(GuardError, match=rf"\(field {field}\)"):
            freeze.check(refreeze(plan, **change))


def test_a_plan_over_barred_addresses_is_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan with special-purpose addresses in its target space is refused before anything is sent, whatever its digests are."""
    monkeypatch.delenv("CENSUS_ONLY_TESTBED", raising=False)
    plan = freeze.freeze(DEMO)
    with pytest.raises(GuardError, match=r"256 addresses that this program never probes \(field ranges\)"):
        freeze.check(refreeze(plan, ranges=(((10 << 24), (10 << 24) + 255), *plan.ranges)))


def test_a_lake_keeps_to_its_plan(tmp_path: Path) -> None:
    """A different plan of the same name is refused, and the field that differs is named; the same plan is accepted again."""
    plan = freeze.freeze(DEMO)
    run.begin(plan, tmp_path)
    run.begin(plan, tmp_path)
    settings = msgspec.structs.replace(plan.settings, seed=1)
    with pytest.raises(GuardError, match=r"\(field settings\.seed\)"):
        run.begin(refreeze(plan, settings=settings), tmp_path)


def test_late_deadlines_are_told(tmp_path: Path) -> None:
    """What receipts count of late deadlines is one sentence; none if they count none, or are of a version that did not count."""
    sweep = run.begin(freeze.freeze(DEMO, tmp_path), tmp_path)
    assert list(run.late(sweep)) == []
    for key, late in (("000-000000", 2), ("001-000000", 1), ("002-000000", None)):
        receipts.put_receipt(sweep.paths, key, Receipt(late_deadlines=late))
    (told,) = run.late(sweep)
    assert told.startswith("3 conversations ended by our own deadline") and "processor" in told


def test_a_changed_database_is_refused(tmp_path: Path) -> None:
    """Enrichment refuses a country database that is not the plan's."""
    plan = freeze.freeze(DEMO)
    changed = refreeze(plan, reference=msgspec.structs.replace(plan.reference, country_digest="00"))
    with pytest.raises(GuardError, match=r"reference\.country_digest"):
        enrichment.enrich(Sweep(changed, layout.SweepPaths(tmp_path, plan.sweep)))


def test_a_missing_database_is_named(tmp_path: Path) -> None:
    """If the plan's database is gone, the error names it and the option for its new place; another one there is refused."""
    plan = freeze.freeze(DEMO)
    reference = msgspec.structs.replace(plan.reference, country=str(tmp_path / "gone.parquet"), country_digest="00")
    sweep = Sweep(refreeze(plan, reference=reference), layout.SweepPaths(tmp_path, plan.sweep))
    with pytest.raises(InputError, match=r"gone\.parquet: is gone.*built 2026.*--country FILE"):
        enrichment.enrich(sweep)
    with pytest.raises(GuardError, match=r"reference\.country_digest"):
        enrichment.enrich(sweep, country=geo.BUNDLED)


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished sweep: `lake` and `wire.pcap`."""
    folder = tmp_path_factory.mktemp("sweep")
    config = around(folder, 28)
    beside = accompanied(config, 1.0)
    sweep = ("sweep", str(config), "--lake", str(folder / "lake"))
    command = in_testbed(*sweep, capture=folder / "wire.pcap", spec=beside)
    ended = subprocess.run(command, cwd=ROOT, env=environment(folder), capture_output=True, text=True, timeout=240)
    assert ended.returncode == 0, ended.stderr[-3000:]
    (folder / "stdout").write_text(ended.stdout, "utf-8")
    return folder


def test_every_outcome_is_the_ground_truth(swept: Path) -> None:
    """Every target that answers has the outcome that the testbed's spec gives it, and no other target has a row."""
    with connection.connect(swept / "lake") as con:
        rows = con.execute("SELECT ip, port, outcome FROM responses").fetchall()
    expected = {(t.address, t.port): t.outcome for t in TRUTH if t.outcome and not t.excluded}
    assert {(ip, port): outcome for ip, port, outcome in rows} == expected
    assert len(rows) == len(expected)


def test_countries_are_counted_as_they_are(swept: Path) -> None:
    """Services per country equal the ground truth, including the United Kingdom's 34."""
    dicom = ("echoed", "accepted", "accepted_no_verification", "rejected", "aborted")
    expected = Counter(t.country for t in TRUTH if t.outcome in dicom and not t.excluded)
    with connection.connect(swept / "lake") as con:
        counted = dict(con.execute("SELECT country, services FROM countries WHERE services > 0").fetchall())
    assert counted == expected
    assert counted["GB"] == 34
    assert len(counted) >= 12


def test_receipts_and_tables_add_up(swept: Path) -> None:
    """`census verify` passes for a finished sweep, and names a receipt that was changed."""
    verify = [*CENSUS, "verify", str(swept / "lake")]
    assert subprocess.run(verify, cwd=ROOT, timeout=60).returncode == 0
    paths = layout.find(swept / "lake", None)
    path = sorted(paths.receipts.glob("*.json"))[0]
    original = path.read_bytes()
    path.write_bytes(original.replace(b'"probes_sent":', b'"probes_sent":1'))
    broken = subprocess.run(verify, cwd=ROOT, capture_output=True, text=True, timeout=60)
    path.write_bytes(original)
    assert broken.returncode == 1
    assert path.stem in broken.stderr


def test_nothing_else_is_on_the_wire(swept: Path) -> None:
    """The wire has the SYNs that the receipts count, whitelisted bytes only, and no packet to an excluded address."""
    paths = layout.find(swept / "lake", None)
    plan, done = layout.read_plan(paths.plan), receipts.read_receipts(paths)
    outgoing = Outgoing.from_json(plan.requests)
    sent = [packet for packet in packets(swept / "wire.pcap") if packet.src == VANTAGE]
    assert all(packet.p == dpkt.ip.IP_PROTO_TCP for packet in sent)
    segments = [packet.data for packet in sent]
    assert {segment.flags & ~(SYN | ACK | RST | FIN | PUSH) for segment in segments} == {0}
    syns = [segment for segment in segments if segment.flags == SYN]
    ring = sum(16384 <= segment.sport < 32768 for segment in syns)
    beside = sum(r.second_probes + r.control_probes + r.companion_probes for r in done)
    assert ring - beside == sum(r.probes_sent for r in done) == plan.targets
    assert beside > plan.targets * 0.01
    assert {receipt.testbed for receipt in done} == {True}
    assert {segment.dport for segment in syns} == {*plan.settings.ports, *COMPANIONS, plan.control.port}
    assert len(syns) - ring == sum(r.connects + r.syn_retransmits for r in done) == 0
    begun = {(packet.dst, packet.data.sport) for packet in sent if packet.data.data.startswith(outgoing.request)}
    assert len(begun) == sum(r.greetings for r in done) - _shut(swept)
    walk = plan.walk()
    assert {packet.dst for packet in sent} <= {a.packed for a in map(IPv4Address, _addresses(walk.space.ranges))}
    for stream in streams(sent).values():
        assert whole(stream, outgoing), stream.hex()


def test_companion_ports_are_the_ground_truth(swept: Path) -> None:
    """Each companion port of each address that speaks DICOM has one row with what is there, and nobody else has one.

    The marts count the same: three web ports and two HL7 ports.
    """
    with connection.connect(swept / "lake") as con:
        rows = con.execute("SELECT ip, port, answer FROM companions").fetchall()
        by_port = con.execute(
            "SELECT port, companions_probed, companions_open FROM companion_ports ORDER BY 1"
        ).fetchall()
        kinds = con.execute(
            "SELECT sum(web), sum(hl7), sum(none_open), sum(companions_probed) FROM companion_kinds"
        ).fetchall()
    expected = truth_beside()
    assert {(ip, port): answer for ip, port, answer in rows} == expected and len(rows) == len(expected)
    hosts = len(expected) // len(COMPANIONS)
    assert by_port == [(80, hosts, 3), (2575, hosts, 2)]
    assert kinds == [(3, 2, hosts - 4, hosts)]


def test_companion_ports_get_one_syn_and_no_byte(swept: Path) -> None:
    """The wire has one SYN to each companion port, later than the visit, never two of an address at once.

    A SYN-ACK is reset, and nothing else goes there: no half-open connection stays, no byte is sent.
    """
    sent = [(seen, packet) for seen, packet in timed(swept / "wire.pcap") if packet.src == VANTAGE]
    wire = [(seen, packet) for seen, packet in sent if packet.data.dport in COMPANIONS]
    assert not any(packet.data.data for _, packet in wire)
    syns = {_target(packet): seen for seen, packet in wire if packet.data.flags == SYN}
    assert syns.keys() == truth_beside().keys()
    resets = Counter(_target(packet) for _, packet in wire if packet.data.flags == RST | ACK)
    assert len(wire) == len(syns) + resets.total()
    assert resets == Counter(target for target, answer in truth_beside().items() if answer == "open")
    with connection.connect(swept / "lake") as con:
        visited = dict(
            con.execute(
                "SELECT ip, epoch(min(started_at)) FROM exposed_2026_11 JOIN associations USING (ip) GROUP BY 1"
            ).fetchall()
        )
    assert all(seen - visited[ip] > 1.0 for (ip, _), seen in syns.items())
    assert all(syns[ip, COMPANIONS[1]] - syns[ip, COMPANIONS[0]] > 0.3 for ip, _ in syns)


def _target(packet: dpkt.ip.IP) -> tuple[int, int]:
    return int.from_bytes(packet.dst), packet.data.dport


def _shut(swept: Path) -> int:
    """The number of targets that never opened their window: they get no byte."""
    with connection.connect(swept / "lake") as con:
        return int(con.execute("SELECT count(*) FROM responses WHERE outcome = 'zero_window'").fetchone()[0])  # type: ignore[index]


def _addresses(ranges) -> list[int]:  # type: ignore[no-untyped-def]
    return [address for first, last in ranges.pairs() for address in range(first, last + 1)]


def whole(stream: bytes, outgoing: Outgoing) -> bool:
    """Whether a stream consists of whole templates, the request first."""
    if not stream.startswith(outgoing.request):
        return False
    while stream:
        template = next((t for t in outgoing.templates.values() if stream.startswith(t)), None)
        if template is None:
            return False
        stream = stream[len(template) :]
    return True


def test_an_interrupted_sweep_is_finished_and_nothing_doubled(tmp_path: Path) -> None:
    """After Ctrl-C the exit code is 130; a second run does the rest, and no target is visited or written twice.

    No companion port that has its row gets a second SYN; the receipts have the number of those that got one, and of all SYNs.
    """
    plan_file, lake, capture = tmp_path / "plan.json", tmp_path / "lake", tmp_path / "wire.pcap"
    config = around(tmp_path, 28, rate=1200)
    beside = accompanied(config, 0.5)
    planned = frozen(config, plan_file)
    work = ("work", str(plan_file), "--lake", str(lake))
    first = subprocess.Popen(in_testbed(*work, capture=capture, spec=beside), cwd=ROOT, env=environment(tmp_path))
    paths = run.begin(planned, lake).paths
    _until(lambda: _begun(paths) and any(paths.progress.glob("*.json")))
    first.send_signal(signal.SIGINT)
    assert first.wait(60) == 130
    assert sum(receipt.round == 1 for receipt in receipts.read_receipts(paths)) < 4
    finished = _begun(paths)
    again = in_testbed(*work, capture=tmp_path / "again.pcap", spec=beside)
    assert subprocess.run(again, cwd=ROOT, env=environment(tmp_path), timeout=120).returncode == 0
    run.require_verified(Sweep.open(paths))
    visits = Counter((host, port) for host, _, port in [*_flows(capture), *_flows(tmp_path / "again.pcap")])
    assert max(visits.values()) == 1
    syns = [_companion_syns(path) for path in (capture, tmp_path / "again.pcap")]
    assert finished and not syns[1] & finished
    done = [receipt for receipt in receipts.read_receipts(paths) if receipt.round == 4]
    assert sum(receipt.companions for receipt in done) == len(truth_beside()) == len(syns[0] | syns[1])
    assert sum(receipt.revisited or 0 for receipt in done) == len(syns[0] & syns[1])
    assert sum(r.companion_probes + (r.probes_abandoned or 0) for r in done) == len(syns[0]) + len(syns[1])


def _begun(paths: layout.SweepPaths) -> set[tuple[int, int]]:
    """The companion ports that have their rows in journals or parts."""
    journals = [parts.read_journal(path, "companions") for path in paths.work.glob("journal/*.companions.arrows")]
    written = [pq.read_table(path) for path in receipts.parts(paths, "companions")]
    return {(row["ip"], row["port"]) for table in (*journals, *written) for row in table.to_pylist()}


def _companion_syns(capture: Path) -> set[tuple[int, int]]:
    """The companion ports that got a SYN; none got two in one run."""
    sent = [packet for packet in packets(capture) if packet.src == VANTAGE]
    syns = [_target(p) for p in sent if p.data.dport in COMPANIONS and p.data.flags == SYN]
    assert len(syns) == len(set(syns))
    return set(syns)


def test_resuming_picks_what_is_not_finished(tmp_path: Path) -> None:
    """`latest` finds the last unsealed sweep of a series; `unfinished` also finds a last sealed sweep that is not enriched."""

    def made(name: str, *tables: str) -> str:
        paths = layout.SweepPaths(tmp_path, name)
        for path in (paths.plan, *map(paths.sealed, tables)):
            path.parent.mkdir(parents=True)
            path.touch()
        return name

    def chosen(pick: run.FindUnfinished) -> str | None:
        paths = pick(tmp_path, "week")
        return paths.id if paths else None

    assert (chosen(run.latest), chosen(run.unfinished)) == (None, None)
    made("20260101T000000Z-my-week")
    made("20260102T000000Z-week", "sweeps")
    enriched = made("20260103T000000Z-week", "sweeps", layout.ENRICHED)
    assert (chosen(run.latest), chosen(run.unfinished)) == (None, None)
    sealed = made("20260104T000000Z-week", "sweeps")
    assert (chosen(run.latest), chosen(run.unfinished)) == (None, sealed)
    assert sealed > enriched
    open_ = made("20260105T000000Z-week")
    assert (chosen(run.latest), chosen(run.unfinished)) == (open_, open_)


def _flows(capture: Path) -> list[tuple[bytes, int, int]]:
    return list(streams([packet for packet in packets(capture) if packet.src == VANTAGE]))


def _until(holds, seconds: float = 60.0) -> None:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


#: Blocks of two countries, with real servers in both, that opt out during their sweep.
OPTED_OUT = ("147.224.192.0/19", "46.223.32.0/19")
#: The probes a second to which a running sweep is slowed down.
LIMIT = 300
#: The seconds within which a running sweep obeys the register.
SOON = 5.0


@dataclass
class Obeyed:
    """A sweep whose register changed while it ran; each time is that of a change of the register."""

    lake: Path
    register: Path
    ended: int
    status: str
    limited: float
    unlimited: float
    opted_out: float
    stopped: float
    gone: float
    broken: float
    mended: float
    syns: list[tuple[float, int, bool]]

    def seen(self, begin: float, end: float) -> list[tuple[int, bool]]:
        """The addresses that got a SYN in a period, and whether each SYN was the first to its target."""
        return [(address, first) for seen, address, first in self.syns if begin < seen < end]


@pytest.fixture(scope="module")
def obeyed(tmp_path_factory: pytest.TempPathFactory) -> Obeyed:
    """A sweep with a rate limit for a while, then opted-out blocks, then `stop` and `go`, then a garbage register for a while."""
    folder = tmp_path_factory.mktemp("obeyed")
    lake, register, plan = folder / "lake", folder / "register.jsonl", folder / "plan.json"
    register.touch()
    config = around(folder, 26, rate=1500)
    config.write_text(f'{config.read_text("utf-8")}\n[optout]\nregister = "register.jsonl"\n', "utf-8")
    planned = frozen(config, plan)
    command = in_testbed("work", str(plan), "--lake", str(lake), capture=folder / "wire.pcap")
    working = subprocess.Popen(command, cwd=ROOT, env=environment(folder))
    paths = run.begin(planned, lake).paths
    _until(lambda: watched.status(Sweep.open(paths)).funnel["probed"] > 1500)
    _census("rate", register, LIMIT, "--who", "test")
    limited = register.stat().st_mtime
    time.sleep(SOON + 2)
    _census("rate", register, "--who", "test")
    unlimited = register.stat().st_mtime
    time.sleep(SOON)
    _census("optout", register, "add", *OPTED_OUT, "--who", "test")
    opted_out = register.stat().st_mtime
    time.sleep(SOON + 1.5)
    _census("stop", register, "--reason", "a test", "--who", "test")
    stopped = register.stat().st_mtime
    time.sleep(SOON + 1)
    status = _census("status", lake) + progress._line(watched.status(Sweep.open(paths)), 1.0)
    _census("go", register, "--who", "test")
    gone = register.stat().st_mtime
    time.sleep(1)
    good = register.read_bytes()
    register.write_bytes(b"garbage\n")
    broken = register.stat().st_mtime
    time.sleep(SOON + 1.5)
    mended = time.time()
    register.write_bytes(good)
    ended = working.wait(120)
    sent = [(seen, packet) for seen, packet in timed(folder / "wire.pcap") if packet.src == VANTAGE]
    syns = list(_syns(sent, paths))
    return Obeyed(lake, register, ended, status, limited, unlimited, opted_out, stopped, gone, broken, mended, syns)


def _syns(sent: list[tuple[float, dpkt.ip.IP]], paths: layout.SweepPaths) -> Iterator[tuple[float, int, bool]]:
    """The time and address of each SYN, and whether the SYN was the first to a target of the plan."""
    ports, asked = set(layout.read_plan(paths.plan).settings.ports), set()
    for seen, packet in sent:
        if packet.data.flags == SYN:
            target = (packet.dst, packet.data.dport)
            yield seen, int.from_bytes(packet.dst), packet.data.dport in ports and target not in asked
            asked.add(target)


def _census(*arguments: object) -> str:
    command = [*CENSUS, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60).stdout


def _opted_out(address: int) -> bool:
    return any(IPv4Address(address) in IPv4Network(block) for block in OPTED_OUT)


def test_an_opt_out_holds_within_seconds(obeyed: Obeyed) -> None:
    """From five seconds after an opt-out, no SYN and no connection goes to the block, while the sweep goes on elsewhere."""
    assert any(_opted_out(address) for address, _ in obeyed.seen(0, obeyed.opted_out))
    assert len(obeyed.seen(obeyed.opted_out + SOON, obeyed.stopped)) > 1000
    assert not [a for a, _ in obeyed.seen(obeyed.opted_out + SOON, float("inf")) if _opted_out(a)]


def test_stop_and_go(obeyed: Obeyed) -> None:
    """From five seconds after `census stop` nothing begins, and the status has the reason; after `census go` sending goes on."""
    assert obeyed.seen(obeyed.stopped + SOON, obeyed.gone) == []
    assert obeyed.status.count("a test (test)") == 2
    assert len(obeyed.seen(obeyed.gone, obeyed.broken + SOON)) > 1000


def test_a_register_that_cannot_be_read_stops_the_sweep(obeyed: Obeyed) -> None:
    """From five seconds after the register became garbage nothing begins; after its repair sending goes on."""
    assert obeyed.seen(obeyed.broken + SOON, obeyed.mended) == []
    assert len(obeyed.seen(obeyed.mended, float("inf"))) > 1000


def test_a_running_sweep_is_slowed_down_and_goes_on(obeyed: Obeyed) -> None:
    """From 5 s after `census rate` the wire has no more than that rate; without the limit the sweep goes on at its own rate."""
    begin, end = obeyed.limited + SOON, obeyed.unlimited
    # A busy machine does not catch up on delayed probes, so the rate may be much lower than the limit, but not zero.
    assert 0.2 * LIMIT * (end - begin) < len(obeyed.seen(begin, end)) < 1.05 * LIMIT * (end - begin)
    begin, end = obeyed.unlimited + 1.5, obeyed.unlimited + SOON
    assert len(obeyed.seen(begin, end)) > 2 * LIMIT * (end - begin)


def test_what_the_register_withheld_is_counted(obeyed: Obeyed) -> None:
    """The sweep ends well and adds up: each target was probed or counted as withheld, and the receipts have the pauses."""
    assert obeyed.ended == 0
    _census("verify", obeyed.lake)
    paths = layout.find(obeyed.lake, None)
    plan, done = layout.read_plan(paths.plan), receipts.read_receipts(paths)
    probed = sum(first and _opted_out(address) for _, address, first in obeyed.syns)
    inside = sum(_opted_out(address) for address in _addresses(plan.walk().space.ranges))
    withheld = inside * len(plan.settings.ports) - probed
    assert sum(r.suppressed for r in done) == withheld > 0
    assert sum(r.probes_sent for r in done) == sum(first for _, _, first in obeyed.syns)
    pauses = obeyed.gone - obeyed.stopped - SOON + obeyed.mended - obeyed.broken - SOON
    assert sum(r.paused_seconds for r in done) >= pauses
    digests = {r.register_digest for r in sorted(done, key=lambda r: r.finished_at)}
    assert hashlib.sha256(obeyed.register.read_bytes()).hexdigest() in digests
    assert all(digests)


def test_a_suppressed_visit_too_many_is_a_fault(obeyed: Obeyed) -> None:
    """Each target that answered has a row or was counted as suppressed: verification names a receipt that claims one more."""
    paths = layout.find(obeyed.lake, None)
    path = sorted(paths.receipts.glob("*.json"))[0]
    original = path.read_bytes()
    receipt = msgspec.json.decode(original)
    path.write_bytes(msgspec.json.encode(receipt | {"suppressed_visits": receipt["suppressed_visits"] + 1}))
    found = list(verify.faults(Sweep.open(paths)))
    path.write_bytes(original)
    assert [fault.where for fault in found] == [f"receipt {path.stem}"]


def test_the_rest_is_the_ground_truth(obeyed: Obeyed) -> None:
    """Outside the opted-out blocks every outcome is the ground truth; inside them every outcome that is there is true."""
    with connection.connect(obeyed.lake) as con:
        rows = con.execute("SELECT ip, port, outcome FROM responses").fetchall()
    expected = {(t.address, t.port, t.outcome) for t in TRUTH if t.outcome and not t.excluded}
    inside = {row for row in expected if _opted_out(row[0])}
    assert {row for row in rows if not _opted_out(row[0])} == expected - inside
    assert {row for row in rows if _opted_out(row[0])} < inside


def test_ctrl_c_ends_a_sweep_that_is_stopped(tmp_path: Path) -> None:
    """A sweep that its register stops from the beginning sends nothing, and Ctrl-C ends it in an orderly way."""
    plan, lake, capture = tmp_path / "plan.json", tmp_path / "lake", tmp_path / "wire.pcap"
    paths = run.begin(frozen(DEMO, plan), lake).paths
    _census("stop", lake / "optout.jsonl", "--reason", "a test")
    command = in_testbed("work", str(plan), "--lake", str(lake), capture=capture)
    working = subprocess.Popen(command, cwd=ROOT, env=environment(tmp_path))
    _until(lambda: "a test" in watched.status(Sweep.open(paths)).stopped_by_register)
    time.sleep(1)
    working.send_signal(signal.SIGINT)
    assert working.wait(60) == 130
    assert not [packet for packet in packets(capture) if packet.src == VANTAGE]


#: Toolkit and behaviour of each kind of real server: Orthanc declares DCMTK, and an ordinary visit cannot distinguish the two.
TOOLKITS = {
    "storescp": ("DCMTK", "dcmtk-explicit"),
    "dcmqrscp": ("DCMTK", "dcmtk-explicit"),
    "orthanc": ("DCMTK", "dcmtk-explicit"),
    "pynetdicom": ("pynetdicom", "pynetdicom"),
}


def test_real_servers_are_who_they_are(swept: Path) -> None:
    """Every real server that accepted has its own toolkit and behaviour, and the mart has the true count of each toolkit."""
    expected = {door: TOOLKITS[kind] for door, kind in _accepting()}
    with connection.connect(swept / "lake") as con:
        rows = con.execute(
            "SELECT ip, port, toolkit, behaviour_rules[1], mismatch FROM fingerprints WHERE behaviour_rules <> []"
        ).fetchall()
        counted = dict(
            con.execute(
                "SELECT toolkit, CAST(sum(services) AS INT) FROM implementations WHERE evidenced GROUP BY ALL"
            ).fetchall()
        )
    assert {(ip, port): (toolkit, shown) for ip, port, toolkit, shown, _ in rows} == expected
    assert not any(mismatch for *_, mismatch in rows)
    assert counted == Counter(toolkit for toolkit, _ in expected.values())


def test_enriching_again_changes_nothing(swept: Path) -> None:
    """`census enrich` writes a missing table with the same bytes as before, and the same bytes again in a second run."""
    path = layout.find(swept / "lake", None).sealed("fingerprints")
    first = path.read_bytes()
    path.unlink()
    for _ in range(2):
        subprocess.run([*CENSUS, "enrich", str(swept / "lake")], cwd=ROOT, check=True, timeout=60)
        assert path.read_bytes() == first


def _accepting() -> list[tuple[tuple[int, int], str]]:
    """The targets of the testbed at which a real server accepts an association, with the kind of server."""
    demo = spec.load(TESTBED)
    kinds = {server.name: server.kind for server in demo.server}
    return [
        ((int(address), placement.port), kinds[placement.server])
        for placement in demo.placements
        for address in spec.addresses(placement)
        if placement.outcome == "echoed" and not placement.excluded
    ]
