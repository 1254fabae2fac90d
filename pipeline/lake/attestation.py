"""The proof of what is published from a sweep: digests of its facts, signed at the seal, and of all that was derived from them.

```
plans/sweep=ID/seal.json       signed: SHA-256 of plan, manifest (each table's file), receipts, and the sweep's row
plans/sweep=ID/derived.json    signed: SHA-256 of seal.json, of each derived table's file and of each mart's
```

Each file is a document as text, and the signature of the lab's key (`pipeline.lab`) over exactly these bytes. Whoever changes a
file without the key breaks the chain; whoever removes a link of it leaves files that nothing proves. Sweeps that were sealed
before there were proofs have none: they are unsigned, which every report says.
"""

import hashlib
from collections.abc import Iterable, Iterator
from typing import TypeVar

import msgspec

from pipeline import schema
from pipeline.errors import CensusError, InputError
from pipeline.lab import key
from pipeline.lab.signature import Signature, fingerprint, is_valid
from pipeline.lake import manifest, parts, schema_versions, store
from pipeline.lake.layout import SweepPaths
from pipeline.lake.store import Location
from pipeline.untrusted import bounded

SEAL, DERIVATION = "seal", "derivation"
#: The tables of a seal besides those that ranges wrote.
SEALED = (*schema.JOURNALED, "receipts", "second_looks", "sweeps")
#: What is learned after the seal, and enriched from.
INPUTS = ("host_names", "reparsed")
MARTS = "marts/"


class SealDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What a seal states of a sweep."""

    sweep: str
    plan: str
    manifest: str
    receipts: str
    row: str


class DerivedDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What was derived from a sweep: the digest of its `seal.json` (empty: it has none), and of each file."""

    sweep: str
    seal: str
    files: dict[str, str]


class SignedFile(msgspec.Struct, frozen=True):
    """A document as text, and the signature over it."""

    document: str
    signature: Signature


Document = TypeVar("Document", SealDocument, DerivedDocument)


def seal(paths: SweepPaths, manifest_sha256: str, row: dict[str, object]) -> None:
    """Sign a sweep's facts; its row is written after this."""
    values = parts.from_rows([row], "sweeps").to_pylist()[0]
    document = SealDocument(
        sweep=paths.id,
        plan=_sha256(store.content(paths.plan)),
        manifest=manifest_sha256,
        receipts=_receipts(paths),
        row=_of_values(values),
    )
    _put(_seal_path(paths), SEAL, document)


def add(paths: SweepPaths, files: Iterable[Location], *, replacing: str = "\0") -> None:
    """Sign the digests of files that were derived now, besides those of before; names that begin with `replacing` are left out.

    Raises InputError if what was signed before is not intact: it would be signed again unseen.
    """
    before = _known(paths)
    kept = {name: digest for name, digest in before.items() if not name.startswith(replacing)}
    now = {_name(paths, path): _of_file(path) for path in files}
    _put(
        _derived_path(paths),
        DERIVATION,
        DerivedDocument(sweep=paths.id, seal=_of_seal(paths), files=dict(sorted((kept | now).items()))),
    )


def _known(paths: SweepPaths) -> dict[str, str]:
    """The files that were signed for the present seal."""
    if not _derived_path(paths).exists():
        return {}
    document = _read(_derived_path(paths), DERIVATION, DerivedDocument, paths)
    return document.files if document.seal == _of_seal(paths) else {}


def sentence(paths: SweepPaths) -> str:
    """Say by whose key a sweep whose proof is intact is signed."""
    if not _seal_path(paths).exists():
        return "unsigned: the sweep was sealed by a version that signed nothing"
    signed = _signed(_seal_path(paths), SEAL)
    name = key.trusted().get(signed.signature.public_key, "?")
    return (
        f"signed by the key {fingerprint(signed.signature.public_key)} ({name}); facts, derived tables and the marts in use are as "
        f"they were signed; seal {_of_seal(paths)[:16]}"
    )


def faults(paths: SweepPaths, *, marts: Iterable[Location] = (), tables: bool = True) -> Iterator[tuple[str, str]]:
    """Yield each file that is not as it was signed, and how; nothing for an unsigned sweep that is as it was sealed.

    `marts` are the folders of the marts that are read. Without `tables` these are all that is read, besides what is signed itself.
    """
    yield from _seal_faults(paths, tables=tables)
    built = {folder: store.entries(folder, "*.parquet") for folder in marts}
    there = [*(_derived_tables(paths) if tables else ()), *(file for files in built.values() for file in files)]
    yield from _derived_faults(paths, there, [folder for folder, files in built.items() if files])


def input_faults(paths: SweepPaths) -> Iterator[tuple[str, str]]:
    """Yield each file that tables and marts are derived from and that is not as it was signed."""
    yield from _seal_faults(paths, tables=True)
    yield from _derived_faults(paths, [path for name in INPUTS if (path := paths.sealed(name)).exists()])


def _seal_faults(paths: SweepPaths, *, tables: bool) -> Iterator[tuple[str, str]]:
    if tables:
        yield from manifest.faults(paths)
    signed, wrong = _judged(_seal_path(paths), SEAL, SealDocument, paths)
    yield from wrong
    if signed is None:
        return
    rows = schema_versions.as_written(paths.sealed("sweeps"), "sweeps").to_pylist()
    manifest_data = store.read(manifest.path(paths))
    compared = (
        (paths.plan, signed.plan, _sha256(store.content(paths.plan))),
        (manifest.path(paths), signed.manifest, _sha256(manifest_data[0]) if manifest_data else ""),
        (paths.receipts, signed.receipts, _receipts(paths)),
        (paths.sealed("sweeps"), signed.row, _of_values(rows[0]) if len(rows) == 1 else ""),
    )
    yield from ((str(path), "was changed after the sweep was sealed") for path, was, now in compared if was != now)


def _derived_faults(
    paths: SweepPaths, files: list[Location], marts: Iterable[Location] = ()
) -> Iterator[tuple[str, str]]:
    """The same of derived files, and of those that are missing in these folders of marts; without any all is computed from tables."""
    there = {_name(paths, path): path for path in files}
    signed_seal = _seal_path(paths).exists()
    if not _derived_path(paths).exists():
        if signed_seal:
            yield from ((str(path), "is signed by nobody; `census enrich` derives it again") for path in there.values())
        return
    document, wrong = _judged(_derived_path(paths), DERIVATION, DerivedDocument, paths)
    yield from wrong
    if document is None:
        return
    if document.seal != _of_seal(paths):
        yield str(_seal_path(paths)), "is not the seal that the derived tables were derived from"
    for name, digest in document.files.items():
        if name in there and _of_file(there[name]) != digest:
            yield str(there[name]), "was changed after it was derived"
    for folder in marts:
        named = (name for name in document.files if name.startswith(f"{_name(paths, folder)}/"))
        yield from (
            (str(paths.lake / name), "is missing, though it was derived") for name in named if name not in there
        )
    if signed_seal:
        yield from (
            (str(path), "is signed by nobody; `census enrich` derives it again")
            for name, path in there.items()
            if name not in document.files
        )


def _derived_tables(paths: SweepPaths) -> list[Location]:
    """The derived tables that a sweep has."""
    tables = [paths.sealed(table.name) for table in schema.tables() if table.name not in SEALED]
    return [path for path in tables if path.exists()]


def _judged(
    path: Location, purpose: str, kind: type[Document], paths: SweepPaths
) -> tuple[Document | None, list[tuple[str, str]]]:
    """Return a signed document, or what is wrong with its file; neither if there is no file."""
    if not path.exists():
        return None, []
    try:
        return _read(path, purpose, kind, paths), []
    except InputError as error:
        return None, [(error.where, error.reason)]


def _signed(path: Location, purpose: str) -> SignedFile:
    """Read a document with its signature. Raises InputError unless the signature is of the key that it names."""
    signed = bounded.json(store.content(path), SignedFile, str(path))
    if not is_valid(signed.signature, purpose, signed.document.encode()):
        raise InputError(str(path), "was changed after it was signed")
    return signed


def _read(path: Location, purpose: str, kind: type[Document], paths: SweepPaths) -> Document:
    """Read a signed document. Raises InputError unless a key that this machine trusts has signed it for this sweep."""
    signed = _signed(path, purpose)
    if signed.signature.public_key not in key.trusted():
        raise InputError(
            str(path),
            f"is signed by the key {fingerprint(signed.signature.public_key)}, which this machine does not trust; put the public "
            f"key of the lab that you have it from into {key.folder() / key.TRUSTED}",
        )
    document = bounded.json(signed.document.encode(), kind, str(path))
    if document.sweep != paths.id:
        raise InputError(str(path), f"is that of another sweep, {document.sweep!r}")
    return document


def _put(path: Location, purpose: str, document: SealDocument | DerivedDocument) -> None:
    text = msgspec.json.encode(document, order="sorted")
    store.write(path, msgspec.json.encode(SignedFile(text.decode(), key.load().sign(purpose, text))))


def _receipts(paths: SweepPaths) -> str:
    """The digest over all receipts and records of void ones."""
    digest = hashlib.sha256()
    for folder in (paths.receipts, paths.voids):
        there = store.entries(folder, "*.json")
        for path, data in zip(there, store.contents(there), strict=True):
            digest.update(f"{folder.name}/{path.name} {_sha256(data)}\n".encode())
    return digest.hexdigest()


def _of_values(row: dict[str, object]) -> str:
    return _sha256(msgspec.json.encode(row, order="sorted"))


def _of_seal(paths: SweepPaths) -> str:
    return _sha256(store.content(_seal_path(paths))) if _seal_path(paths).exists() else ""


def _of_file(path: Location) -> str:
    with store.file(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _name(paths: SweepPaths, path: Location) -> str:
    """The name of a file within its lake, as the proof has it."""
    return str(path).removeprefix(f"{paths.lake}/")


def _seal_path(paths: SweepPaths) -> Location:
    return paths.plan.with_name("seal.json")


def _derived_path(paths: SweepPaths) -> Location:
    return paths.plan.with_name("derived.json")


def require(paths: SweepPaths, faults: Iterable[tuple[str, str]]) -> None:
    """Raise CensusError naming the first of the faults, if there is one."""
    for where, what in faults:
        raise CensusError(f"the proof of {paths.id} is broken: {where} {what}")
