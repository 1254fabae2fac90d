"""How the testbed's servers are found."""

from pathlib import Path

import pytest

from pipeline.errors import CensusError
from pipeline.testbed import kinds


def test_a_server_is_never_the_one_beside_our_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """With an environment's folder first on PATH, `storescp` is still DCMTK's and not pynetdicom's."""
    monkeypatch.setenv("PATH", f"{Path(kinds.sys.executable).parent}:/usr/local/bin:/usr/bin:/bin")
    assert Path(kinds.program("storescp")).parent != Path(kinds.sys.executable).parent


def test_a_server_that_is_not_there_is_named() -> None:
    """What is not installed is one clear error with what to do."""
    with pytest.raises(CensusError, match="no-such-server, which is not on PATH; `make setup`"):
        kinds.program("no-such-server")
