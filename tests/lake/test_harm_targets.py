"""The targets of harm checks, and how the results of the checks reach the associations."""

import pyarrow as pa

from pipeline import schema
from pipeline.lake import harm_targets, verify

ARROW = schema.table("associations").arrow


def associations(*ips: int) -> pa.Table:
    """One association for each address, on port 104."""
    plain = pa.schema([pa.field(field.name, field.type) for field in ARROW])
    return pa.Table.from_pylist([{"ip": ip, "port": 104} for ip in ips], schema=plain)


def checks(*rows: tuple[int, bool | None, bool | None]) -> pa.Table:
    """Addresses, whether they answered after the visit, and whether the SYN was repeated."""
    names = ("ip", "alive_after", "repeated_after")
    kinds = [("ip", pa.uint32()), ("port", pa.uint16()), ("alive_after", pa.bool_()), ("repeated_after", pa.bool_())]
    return pa.Table.from_pylist([{"port": 104, **dict(zip(names, row, strict=True))} for row in rows], pa.schema(kinds))


def responses(**stages: str) -> pa.Table:
    rows = [{"ip": int(name[1:]), "port": 104, "close_stage": stage} for name, stage in stages.items()]
    kinds = [("ip", pa.uint32()), ("port", pa.uint16()), ("close_stage", pa.string())]
    return pa.Table.from_pylist(rows, pa.schema(kinds))


def test_two_silences_after_a_visit_count_and_nothing_else() -> None:
    """1 answered, 2 answered the second SYN, 3 answered neither, 4 was not reached by its visit, 5 got no SYN, 6 no check."""
    checked = checks((1, True, False), (2, True, True), (3, False, True), (4, False, True), (5, None, None))
    reached = responses(_1="done", _2="done", _3="associate", _4="connect", _5="done")
    told = harm_targets.with_check_results(associations(1, 2, 3, 4, 5, 6), checked, reached)
    assert told["post_probe_syn_alive"].to_pylist() == [True, True, False, False, None, None]
    assert told["quarantined"].to_pylist() == [False, False, True, False, None, None]


def test_without_a_check_nothing_is_told() -> None:
    """Without a check both columns are null."""
    told = harm_targets.with_check_results(associations(1), checks(), responses())
    assert told["post_probe_syn_alive"].to_pylist() == told["quarantined"].to_pylist() == [None]


def test_who_answers_on_the_control_port_is_marked() -> None:
    """Sealing marks the associations whose address answered on the control port; the others stay null."""
    controls = pa.table({"ip": pa.array([2, 9], pa.uint32())})
    told = verify._on_control_port(associations(1, 2), controls)
    assert told["control_port_open"].to_pylist() == [None, True]
