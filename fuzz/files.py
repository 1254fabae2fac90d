"""Fuzz targets: files that somebody else may have written. Any bytes give a value, or one error of ours that names the file."""

import gzip
import io
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pyrage
import pysequoia
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from fuzz.target import Target, file, scratch
from pipeline.attribution import probing_txt
from pipeline.config import load
from pipeline.enrich import database_file, download, mmdb, range_table
from pipeline.enrich.database_kind import DatabaseKind
from pipeline.errors import CensusError
from pipeline.lab import key, signature
from pipeline.notify import address_book, hand_over_events, recipient_key
from pipeline.optout import chained, events
from pipeline.plan import own_ranges, terms
from pipeline.release import microdata
from pipeline.space import address_list, signed

ROOT = Path(__file__).parents[1]
WORDS = "owner: Example\nauditor: a@b.example\nprofile: echo\nfrom: 2026-12-01\nuntil: 2026-12-31\n192.0.2.0/24\n"
EVENTS = (
    events.OptOut(at=datetime(2026, 11, 24, tzinfo=UTC), who="a", block="192.0.2.0/24", until=date(2027, 1, 1)),
    events.Stop(at=datetime(2026, 11, 24, tzinfo=UTC), who="b", reason="c"),
)
BOOK = (
    'lab = "L"\ncontact = "c@example.org"\n[[recipient]]\nname = "cert-gb"\ncountry = "GB"\nformats = ["n6", "stix"]\n'
)
COUNTRIES = b"1.0.0.0,1.0.0.255,GB\n2.0.0.0,2.0.1.255,US\n"
NETWORKS = b"16777216\t16777471\t786\tGB\tExample\n"
PREFIXES = b"192.0.2.0\t24\t64500\n"


def configuration(data: bytes) -> None:
    """Read a sweep's configuration."""
    with suppress(CensusError):
        load.load_config(file("sweep.toml", data))


def addresses(data: bytes) -> None:
    """Read a list of addresses, and the terms of a signed list."""
    with suppress(CensusError):
        read = address_list.read_file(file("list.txt", data))
        assert read.ranges.count <= read.entry_addresses
    with suppress(CensusError):
        terms.read(data.decode("utf-8", "replace"))


def register(data: bytes) -> None:
    """Read an opt-out register: what is read is written again as it was."""
    with suppress(CensusError):
        history = events.parse(data, "register")
        assert history.size == len(data)
        events.fold(history.events, date(2026, 11, 24))


def book(data: bytes) -> None:
    """Read an address book, and the keys that it names."""
    with suppress(CensusError):
        path = file("book.toml", data)
        address_book.open_recipients(path, address_book.load(path).recipient)


def recipients(data: bytes) -> None:
    """Read a recipient's key; what is one can be encrypted to."""
    with suppress(CensusError):
        assert recipient_key.read(data, "key").encrypt(b"clear") != b"clear"


def hand_overs(data: bytes) -> None:
    """Read a register of hand-overs."""
    with suppress(CensusError):
        history = hand_over_events.parse(data, "register")
        assert history.size == len(data)
        hand_over_events.experiment_of(history.events, "cert-gb", date(2026, 11, 24))


def keys(data: bytes) -> None:
    """Read a public key and a private key, and check a signature by what was read."""
    text, pem = data.decode("utf-8", "replace"), file("key.pem", data)
    ranges = file("own.txt", WORDS.encode())
    with suppress(CensusError):
        key._public(pem)
    with suppress(CensusError):
        own_ranges.sign(ranges, pem, scratch() / "own.sig")
    with suppress(CensusError):
        signed.verified(signed.SignedRanges(owner="a", ranges=WORDS, signature=text, public_key=text))
    assert not signature.is_valid(signature.Signature(public_key=text, value=text), "plan", b"")


def mmdb_file(data: bytes) -> None:
    """Read an mmdb of countries and of networks, whole."""
    for kind in DatabaseKind:
        _database("database.mmdb", data, kind)
    with suppress(CensusError):
        database = mmdb.Mmdb(file("database.mmdb", data))
        database.decode(database.networks().offset, lambda record: record)


def database_text(data: bytes) -> None:
    """Read ranges as text, gzip around it or not; the list of a publisher's files."""
    for kind in DatabaseKind:
        _database("database-2026-11-01.csv", data, kind)
    with suppress(ValueError):
        download._newest(file("log.txt", data))


def database_table(data: bytes) -> None:
    """Read a Parquet table of ranges."""
    path = file("database.parquet", data)
    for kind, schema in database_file.SCHEMAS.items():
        with suppress(CensusError):
            range_table.read(path, schema, kind)


def description(data: bytes) -> None:
    """Read a probing.txt that a server gave."""
    fields = probing_txt.read(data.decode("utf-8", "replace"))
    assert all(isinstance(fault, str) for fault in probing_txt.faults(fields, datetime(2026, 11, 24, tzinfo=UTC)))


def _database(name: str, data: bytes, kind: DatabaseKind) -> None:
    with suppress(CensusError):
        table, facts = database_file.read(file(name, data), kind)
        assert len(table) and facts.keys() >= set(range_table.REQUIRED)


def _recipient_keys() -> list[bytes]:
    secret = pysequoia.Tsk.generate("CERT <cert@example.org>")
    age = pyrage.x25519.Identity.generate().to_public()
    return [str(secret.extract_certificate()).encode(), str(age).encode()]


def _books() -> list[bytes]:
    age = pyrage.x25519.Identity.generate().to_public()
    return [f"{BOOK}key = '{age}'\n".encode(), f"{BOOK}key = 'missing.asc'\n".encode()]


def _hand_overs() -> list[bytes]:
    at = datetime(2026, 11, 24, tzinfo=UTC)
    handed = hand_over_events.HandedFile(name="a.age", sha256="ab" * 32, size=1)
    written = (
        hand_over_events.Experiment(
            at=at, who="a", recipient="cert-gb", sweep="s", until=date(2027, 1, 1), key="cd" * 32
        ),
        hand_over_events.HandOver(
            at=at, who="a", recipient="cert-gb", scope="GB", sweep="s", key="age age1x", services=1, decoys_left_out=0,
            opted_out=0, waiting=0, files=(handed,),
        ),
    )  # fmt: skip
    return [chained.chain(written, chained.NOTHING_BEFORE)]


def _pems() -> list[bytes]:
    private = Ed25519PrivateKey.from_private_bytes(bytes(32))
    return [
        private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex().encode(),
    ]


def _mmdbs() -> list[bytes]:
    records = (
        {"country": {"iso_code": "GB"}},
        {"autonomous_system_number": 786, "autonomous_system_organization": "A"},
    )
    return [_mmdb(version, record) for version, record in zip((4, 6), records, strict=True)]


def _mmdb(version: int, record: dict[str, object]) -> bytes:
    writer = MMDBWriter(ip_version=version, database_type="made-up", ipv4_compatible=version == 6)
    writer.insert_network(IPSet(["192.0.2.0/24"]), record)
    writer.to_db_file(str(scratch() / "made.mmdb"))
    return (scratch() / "made.mmdb").read_bytes()


def _tables() -> list[bytes]:
    schema = database_file.SCHEMAS[DatabaseKind.COUNTRY].with_metadata(
        {"geo.name": "a", "geo.build_date": "2026-11-01", "geo.sha256": "b"}
    )
    sink = io.BytesIO()
    pq.write_table(pa.table([[1], [2], ["GB"]], schema=schema), sink, compression="none")
    return [sink.getvalue()]


def _texts() -> list[bytes]:
    return [COUNTRIES, NETWORKS, PREFIXES, gzip.compress(COUNTRIES, mtime=0), b"# log\n1\t2\ta/b.gz\n"]


def _configurations() -> list[bytes]:
    return [(ROOT / "data" / "testbed" / "demo-sweep.toml").read_bytes()]


def _lists() -> list[bytes]:
    return [WORDS.encode(), b"192.0.2.0/24 # why\n192.0.2.7-192.0.2.9\r\n2001:db8::/32 ; six\n1.2.3.4 // c\n"]


def release(data: bytes) -> None:
    """Read what an earlier release showed."""
    with suppress(CensusError):
        for each in microdata.previous(file(microdata.EARLIER, data).parent):
            assert each.kinds is not None


SLOW: dict[str, Target] = {
    "configuration": Target(configuration, (load.load_config,), _configurations),
    "address_list": Target(addresses, (address_list.read_file, terms.read), _lists),
    "register": Target(register, (events.parse, events.fold), lambda: [chained.chain(EVENTS, chained.NOTHING_BEFORE)]),
    "address_book": Target(book, (address_book.load, address_book.open_recipients), _books),
    "recipient_key": Target(recipients, (recipient_key.read,), _recipient_keys),
    "hand_overs": Target(hand_overs, (hand_over_events.parse,), _hand_overs),
    "keys": Target(keys, (key._public, own_ranges.sign, signed.verified, signature.is_valid), _pems),
    "mmdb": Target(mmdb_file, (database_file.read, mmdb.Mmdb.networks, mmdb.Mmdb.decode), _mmdbs),
    "database_text": Target(database_text, (database_file.read, download._newest), _texts),
    "database_table": Target(database_table, (range_table.read, range_table.in_order), _tables),
    "probing_txt": Target(
        description,
        (probing_txt.read, probing_txt.faults),
        lambda: [b"Contact: mailto:a@b\r\nExpires: 2027-01-01T00:00:00Z\n"],
    ),
    "release": Target(
        release,
        (microdata.previous,),
        lambda: [b'{"microdata":[{"sweep":"a","shown":[[["GB","x",true,null],5]]}]}'],
    ),
}
TARGETS = {name: target._replace(is_quick=False) for name, target in SLOW.items()}
