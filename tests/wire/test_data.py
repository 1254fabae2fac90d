"""P-DATA-TF: known answers, and any bytes."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.wire.data import read_data
from pipeline.wire.fields import Data, Fragment
from pipeline.wire.warning import ParseWarning
from tests.wire.vectors import value

VALUES = st.lists(
    st.builds(
        Fragment,
        st.integers(0, 127).map(lambda half: 2 * half + 1),
        st.booleans(),
        st.booleans(),
        st.binary(max_size=30),
    ),
    min_size=1,
    max_size=6,
)


@given(VALUES)
def test_reading_inverts_encoding(fragments: list[Fragment]) -> None:
    """Any sequence of presentation data values is read back as the same values."""
    body = b"".join(value(part.context_id, part.is_command | part.is_last << 1, part.data) for part in fragments)
    assert read_data(body) == Data(tuple(fragments))


def test_what_stands_before_a_break() -> None:
    """The values before a value that does not fit are kept."""
    data = read_data(value(1, 3, b"ab") + b"\0\0\0\x09\1\3ab")
    assert data == Data((Fragment(1, True, True, b"ab"),), warnings=(ParseWarning.VALUE_CUT,))


def test_even_context() -> None:
    """A value with an even context id is read, with a warning."""
    assert read_data(value(2, 0, b"")).warnings == (ParseWarning.CONTEXT_ID_EVEN,)


@given(st.binary(max_size=300))
def test_any_bytes_give_values(body: bytes) -> None:
    """Any bytes give values within those bytes; an empty list only with a warning."""
    data = read_data(body)
    assert sum(6 + len(part.data) for part in data.fragments) <= len(body)
    assert data.fragments or data.warnings
