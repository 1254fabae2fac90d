"""Capture files, as another implementation reads them."""

from pathlib import Path

import dpkt
from hypothesis import given
from hypothesis import strategies as st

from pipeline.rings.pcap import ETHERNET, RAW, Capture


@given(st.lists(st.binary(max_size=2000)), st.sampled_from([ETHERNET, RAW]))
def test_what_was_added_is_read(tmp_path_factory: object, packets: list[bytes], link_type: int) -> None:
    """dpkt reads the packets in their order, and the link type."""
    path = Path(tmp_path_factory.mktemp("pcap")) / "some.pcap"  # type: ignore[attr-defined]
    with Capture(path, link_type) as capture:
        capture.add(packets)
    assert capture.written == len(packets)
    with path.open("rb") as file:
        reader = dpkt.pcap.Reader(file)
        assert reader.datalink() == link_type
        assert [packet for _, packet in reader] == packets
