"""A sweep that may run for a time only."""

import time

import pytest

from pipeline.errors import Interrupted
from pipeline.sweep.deadline import deadline


def test_it_passes_once() -> None:
    """The check is silent before its time and raises Interrupted afterwards; without a time it never raises."""
    check, never = deadline(0.05), deadline(None)
    check()
    time.sleep(0.06)
    never()
    with pytest.raises(Interrupted, match=r"--max-runtime is over \(0\.05 s\); run again with --resume"):
        check()
