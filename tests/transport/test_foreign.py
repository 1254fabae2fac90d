"""Messages of another machine: within stated limits they are read, anything else is malformed and nothing else."""

import time
import tracemalloc

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.transport import foreign, messages
from pipeline.transport.channel import encode_rows
from pipeline.transport.foreign import MalformedMessage

HEADER = msgspec.json.encode(messages.Rows(shard=1, number=2, attempt=1, table="tls"))
BATCH = pa.RecordBatch.from_pydict({"ip": pa.array([1, 2], pa.uint32()), "raw": pa.array([b"a", None], pa.binary())})


def stream(batch: pa.RecordBatch, **options: object) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_batch(batch)
    return sink.getvalue().to_pybytes()


def bomb(codec: str) -> bytes:
    """A small frame with very many zeros."""
    return stream(pa.RecordBatch.from_pydict({"raw": np.zeros(20_000_000, dtype=np.uint8)}), compression=codec)


def test_what_we_send_is_read() -> None:
    """Rows as our own ends write them are read as they were."""
    message, rows = foreign.decode([HEADER, encode_rows(BATCH)])
    assert message.table == "tls" and rows.equals(BATCH)
    assert foreign.decode([HEADER])[1] is None


@pytest.mark.parametrize("codec", ["zstd", "lz4"])
def test_a_frame_that_would_inflate(codec: str) -> None:
    """Compressed rows are refused before they are read: a small frame takes little memory and time."""
    frame = bomb(codec)
    assert len(frame) < 100_000
    tracemalloc.start()
    began, before = time.process_time(), pa.total_allocated_bytes()
    with pytest.raises(MalformedMessage):
        foreign.decode([HEADER, frame])
    assert pa.total_allocated_bytes() - before < 1_000_000 and tracemalloc.get_traced_memory()[1] < 2_000_000
    assert time.process_time() - began < 1.0
    tracemalloc.stop()


#: What is no message of ours, by kind.
MALFORMED: dict[str, list[bytes]] = {
    "no frame": [],
    "three frames": [HEADER, encode_rows(BATCH), b""],
    "empty": [b""],
    "not UTF-8": [b'{"type":"Failed","shard":0,"number":0,"exit_code":1,"reason":"\xff"}'],
    "UTF-16 surrogates": [b'{"type":"Failed","shard":0,"number":0,"exit_code":1,"reason":"\\ud800"}'],
    "deep": [b"[" * 50_000],
    "deep in a field": [b'{"type":"Progress","shard":0,"number":0,"stage":"x","counts":' + b'{"a":' * 30_000],
    "long": [b'{"type":"Failed","shard":0,"number":0,"exit_code":1,"reason":"' + b"a" * 100_000 + b'"}'],
    "a huge number": [b'{"type":"Heartbeat","shard":' + b"9" * 400 + b',"number":0}'],
    "a negative range": [b'{"type":"Heartbeat","shard":-1,"number":0}'],
    "very many attempts": [HEADER.replace(b'"attempt":1', b'"attempt":1000000000000')],
    "no rows": [HEADER, b""],
    "a stream that ends": [HEADER, encode_rows(BATCH)[:120]],
    "two schemas": [HEADER, encode_rows(BATCH)[:200] * 2],
    "a dictionary": [HEADER, stream(pa.RecordBatch.from_pydict({"a": pa.array(["x", "x"]).dictionary_encode()}))],
    "rows that take no byte": [HEADER, stream(pa.RecordBatch.from_arrays([pa.nulls(2**20)], ["a"]))],
}  # fmt: skip


@pytest.mark.parametrize("frames", MALFORMED.values(), ids=MALFORMED)
def test_malformed(frames: list[bytes]) -> None:
    """Each kind of nonsense is MalformedMessage, and never another exception."""
    with pytest.raises(MalformedMessage):
        foreign.decode(frames)


@given(st.integers(0, 10_000), st.binary(min_size=1, max_size=8), st.integers(0, 10_000))
def test_any_change_of_a_message(at: int, put: bytes, cut: int) -> None:
    """A message with other bytes anywhere, or cut anywhere, is read or malformed."""
    data = encode_rows(BATCH)
    changed = data[: at % len(data)] + put + data[at % len(data) + len(put) :]
    for frame in (changed, changed[: cut % len(changed)]):
        try:
            foreign.decode([HEADER, frame])
        except MalformedMessage:
            pass
    header = HEADER[: at % len(HEADER)] + put + HEADER[at % len(HEADER) + len(put) :]
    try:
        foreign.decode([header])
    except MalformedMessage:
        pass
