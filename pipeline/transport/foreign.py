"""Messages from another machine, which may say anything: what is not a message of ours within these limits is malformed.

Our own rows are never compressed, so a small frame cannot become a large one: compressed rows are refused before they are read.
"""

import struct

import msgspec
import pyarrow as pa

from pipeline.transport import messages
from pipeline.transport.channel import Frames

#: The longest first frame, in bytes: that of a Failed message with its reason has the most.
LONGEST_MESSAGE = 64 << 10
#: Where the field `compression` is in the table of a RecordBatch, and `header` in that of a Message (format/Message.fbs).
COMPRESSION, HEADER = 3, 2

_decoder = msgspec.json.Decoder(messages.AnyMessage)


class MalformedMessage(Exception):
    """It is not a message that the other end may send."""


def decode(frames: Frames) -> tuple[messages.AnyMessage, pa.RecordBatch | None]:
    """Decode a message from another machine, and validate all its rows. Raises MalformedMessage, whatever the bytes are."""
    if len(frames) not in (1, 2) or len(frames[0]) > LONGEST_MESSAGE:
        raise MalformedMessage
    try:
        message = _decoder.decode(frames[0])
        rows = _rows(frames[1]) if len(frames) > 1 else None
    except (msgspec.DecodeError, pa.ArrowException, struct.error, ValueError, OverflowError, RecursionError, OSError):
        raise MalformedMessage from None
    return message, rows


def _rows(data: bytes) -> pa.RecordBatch:
    """The one record batch of an Arrow IPC stream, whose buffers lie in the frame."""
    reader = pa.ipc.MessageReader.open_stream(data)
    try:
        schema, batch = reader.read_next_message(), reader.read_next_message()
    except StopIteration:
        raise MalformedMessage from None
    if schema.type != "schema" or batch.type != "record batch" or _is_compressed(bytes(batch.metadata)):
        raise MalformedMessage
    rows = pa.ipc.read_record_batch(batch, pa.ipc.read_schema(schema))
    if rows.num_rows > len(data) or rows.nbytes > len(data):
        raise MalformedMessage  # its rows take no bytes, or its columns share them
    rows.validate(full=True)
    return rows


def _is_compressed(message: bytes) -> bool:
    """Whether a message, whose FlatBuffers Arrow has verified, holds a compressed record batch."""
    root = struct.unpack_from("<I", message)[0]
    header = _field(message, root, HEADER)
    if header is None:
        raise MalformedMessage
    batch = header + struct.unpack_from("<I", message, header)[0]
    return _field(message, batch, COMPRESSION) is not None


def _field(data: bytes, table: int, number: int) -> int | None:
    """Where a field of a FlatBuffers table is; None if it is not set."""
    fields = table - struct.unpack_from("<i", data, table)[0]
    size = struct.unpack_from("<H", data, fields)[0]
    at = 4 + 2 * number
    offset = struct.unpack_from("<H", data, fields + at)[0] if at + 2 <= size else 0
    return table + offset if offset else None
