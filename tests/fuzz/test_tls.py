"""The fuzz targets of TLS, on what Hypothesis makes of their seeds."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzz import certificate, tls
from pipeline.testbed.hostile import TLS_SERVER_HELLO
from tests.associate.authority import issue

SEEDS: dict[Callable[[bytes], None], bytes] = {
    certificate.target: issue("pacs.example.test").der,
    tls.target: b"\0\xff" + TLS_SERVER_HELLO,
}


@pytest.mark.parametrize("target", SEEDS)
@given(st.data())
def test_target(target: Callable[[bytes], None], data: st.DataObject) -> None:
    """No bytes, and no seed with a part replaced, break a target's promise."""
    target(data.draw(st.binary(max_size=200)))
    seed = SEEDS[target]
    at, cut = data.draw(st.integers(0, len(seed))), data.draw(st.integers(0, 9))
    target(seed[:at] + data.draw(st.binary(max_size=9)) + seed[at + cut :])
