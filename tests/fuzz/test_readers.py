"""Whatever reads bytes that somebody else may have written has a fuzz target, and the page on security says so."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import CodeType

from fuzz.targets import TARGETS
from tests.fuzz.test_targets import reached

ROOT = Path(__file__).parents[2]
#: Calls that turn bytes or files into values.
PARSERS = {
    "Decoder", "Ed25519PublicKey.from_public_bytes", "Reader", "_decoder.decode", "bounded.decode", "bounded.json",
    "bounded.read", "bounded.toml", "csv.DictReader", "csv.reader", "dns.asyncquery.tcp", "dns.asyncquery.udp",
    "ds.dataset", "gzip.GzipFile", "httpx.Client", "json.load", "json.loads", "load_pem_private_key",
    "load_pem_public_key", "maxminddb.open_database", "msgspec.json.decode", "msgspec.msgpack.decode",
    "pa.ipc.MessageReader.open_stream", "pa.ipc.open_file", "pa.ipc.open_stream", "pa.ipc.read_record_batch",
    "pickle.loads", "pq.ParquetFile", "pq.read_metadata", "pq.read_table", "struct.unpack", "struct.unpack_from",
    "tomllib.load", "tomllib.loads", "x509.load_der_x509_certificate",
}  # fmt: skip
#: Functions that parse what nobody else writes.
OURS = {
    "flows/embedded.py _await": "whether our own server answers; its body is not read",
    "pipeline/bpf/kernel.py run": "the kernel",
    "pipeline/console/output.py _plain": "what this process encoded",
    "pipeline/doctor/rate.py sustained": "what our own child printed",
    "pipeline/enrich/country_code.py assigned": "data/reference",
    "pipeline/enrich/owner.py load": "data/reference",
    "pipeline/guard/link_state.py LinkWatch._read": "the kernel",
    "pipeline/guard/proof.py _prove": "the manifest of our own testbed",
    "pipeline/guard/sockets.py _is_loopback_link": "the kernel",
    "pipeline/lab/key.py load": "this machine's own key, of mode 0600",
    "pipeline/publish/countries.py countries": "data/reference",
    "pipeline/publish/outlines.py topology": "data/reference",
    "pipeline/release/draw.py world": "the bundle that it is a part of",
    "pipeline/release/reproduce.py claims": "the bundle that it is a part of",
    "pipeline/rings/receive.py ReceiveRing.count_drops": "the kernel",
    "pipeline/rings/xdp.py Port.rejected": "the kernel",
    "pipeline/rings/xdp.py _rings": "the kernel",
    "pipeline/schema.py table": "schemas/",
    "pipeline/site/built.py read": "a folder that only the publisher writes; any bytes count as nothing (tests/site/test_built.py)",
    "pipeline/space/blocklist.py special_purpose": "data/reference",
    "pipeline/sweep/publishers.py published": "data/reference",
    "pipeline/transport/channel.py decode": "another process of this worker, by a socket that only its user reaches",
    "pipeline/transport/channel.py decode_rows": "another process of this worker",
    "pipeline/transport/channel.py is_shutdown": "another process of this worker",
    "pipeline/views/reference_rows.py select": "data/reference",
    "pipeline/views/views.py _meanings": "analysis/",
    "pipeline/worker/context.py _with_saved_plan": "a private folder of this worker",
}
#: Functions whose bytes are fetched or opened here, and read by a function that has a target.
HANDED_ON = {
    "pipeline/attribution/check.py _text": "probing_txt",
    "pipeline/enrich/download.py fetch": "database_text",
    "pipeline/reverse_dns/stub_resolver.py StubResolver._exchange": "dns",
    "pipeline/lake/parts.py _bounds": "part",
    "pipeline/lake/schema_versions.py as_written": "table",
}


def readers() -> set[str]:
    """Every function of the program that calls a parser: its file and name."""
    paths = [path for folder in ("pipeline", "flows") for path in (ROOT / folder).rglob("*.py")]
    return {
        f"{path.relative_to(ROOT)} {name}"
        for path in paths
        if "testbed" not in path.parts
        for name in _calling(ast.parse(path.read_text("utf-8")), ())
    }


def _calling(node: ast.AST, names: tuple[str, ...]) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        inner = (
            (*names, child.name) if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) else names
        )
        if isinstance(child, ast.Call) and names and ast.unparse(child.func) in PARSERS:
            yield ".".join(names)
        yield from _calling(child, inner)


@cache
def run_by_targets() -> frozenset[str]:
    """Every function that some target runs on its seeds: its file and name."""
    codes: set[CodeType] = set()
    for target in TARGETS.values():
        codes |= reached(target)
    return frozenset(
        f"{Path(code.co_filename).relative_to(ROOT)} {_name(code)}"
        for code in codes
        if code.co_filename.startswith(f"{ROOT}/")
    )


def _name(code: CodeType) -> str:
    return code.co_qualname.replace(".<locals>", "").removesuffix(".<lambda>").removesuffix(".<genexpr>")


def test_every_reader_has_a_target() -> None:
    """Each function that parses is run by a fuzz target, or a table says who wrote what it reads, or which target reads it."""
    found = readers()
    assert len(found) > 40
    assert found - run_by_targets() <= OURS.keys() | HANDED_ON.keys() <= found
    assert set(HANDED_ON.values()) <= TARGETS.keys()


def test_the_page_lists_every_target() -> None:
    """The table of SECURITY.md, on what comes from elsewhere, names every fuzz target, and no other."""
    page = (ROOT / "SECURITY.md").read_text("utf-8")
    table = page.partition("## What comes from elsewhere")[2].partition("\n## ")[0]
    named = [
        name for row in re.findall(r"^\|.*\| ([^|]*) \|$", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
    ]
    assert sorted(named) == sorted(TARGETS)


def test_parsers_are_called_by_these_names() -> None:
    """No module renames what the tables of this test look for."""
    renamed = [
        f"{path.relative_to(ROOT)}: {alias.name} as {alias.asname}"
        for folder in ("pipeline", "flows")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
        if alias.asname
        and alias.name.partition(".")[0] in {"json", "msgspec", "tomllib", "csv", "pickle", "struct", "gzip", "bounded"}
    ]
    assert renamed == []
