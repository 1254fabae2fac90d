"""The memory that programs share with us: its parts do not overlap, and each field is where a program writes it."""

import mmap

import numpy as np

from pipeline.rings.live_memory import COLUMNS, LAYOUT, RECORDS, STATE, CallProgress, place


def test_parts_do_not_overlap() -> None:
    """The state fits before the columns, each of which begins on a page of its own and has an entry for each record."""
    assert LAYOUT.size % mmap.PAGESIZE == 0 and STATE.itemsize <= LAYOUT.address
    memory = mmap.mmap(-1, LAYOUT.size)
    columns = {name: LAYOUT.column(memory, name) for name in COLUMNS}
    for number, column in enumerate(columns.values()):
        column.view("u1")[:] = number
    for number, (name, column) in enumerate(columns.items()):
        assert getattr(LAYOUT, name) % mmap.PAGESIZE == 0 and len(column) == RECORDS
        assert (column.view("u1") == number).all()


def test_fields() -> None:
    """Size and offset of a field are those that numpy uses, and no 64-bit field crosses a border of eight bytes."""
    for name in STATE.names or ():
        state = np.zeros(1, STATE)
        state[name] = 1
        size, offset = place(STATE, name)
        assert state.tobytes()[offset] == 1 and offset % size == 0


def test_progress_is_the_beginning_of_the_state() -> None:
    """What is written as progress is what programs have in the fields of the state, and can be read again."""
    memory = mmap.mmap(-1, LAYOUT.size)
    progress = CallProgress(next=1, wanted=2, settled=3, taken=2**63, refusals=5, failed=6, error=-7)
    progress.write(memory)
    state = np.frombuffer(memory, STATE, 1)[0]
    names = ("next", "count", "settled", "taken", "refusals", "failed", "error")
    assert tuple(int(state[name]) for name in names) == tuple(progress) == tuple(CallProgress.of(memory))
