"""How the testbed's servers are found."""

import os
from pathlib import Path

import pytest

from pipeline.errors import CensusError
from pipeline.testbed import server_kinds


def test_a_script_of_a_servers_name_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a script `storescp` first on PATH, as an active environment with pynetdicom has it, the server is still DCMTK's."""
    script = tmp_path / "storescp"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    found = Path(server_kinds.program("storescp"))
    assert found != script and found.read_bytes()[:4] == b"\x7fELF"


def test_a_server_that_is_not_there_is_named() -> None:
    """What is not installed is one clear error with what to do."""
    with pytest.raises(CensusError, match="no-such-server, which is not on PATH; `make setup`"):
        server_kinds.program("no-such-server")
