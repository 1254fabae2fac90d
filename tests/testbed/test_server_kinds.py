"""Finding the testbed's servers."""

import os
from pathlib import Path

import pytest

from pipeline.errors import CensusError
from pipeline.testbed import server_kinds


def test_a_script_with_a_servers_name_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a script `storescp` first on PATH, as pynetdicom installs one, the server is still DCMTK's."""
    script = tmp_path / "storescp"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    path = Path(server_kinds.program("storescp"))
    assert path != script and path.read_bytes()[:4] == b"\x7fELF"


def test_a_missing_server_is_named() -> None:
    """A missing server is one clear error with the remedy."""
    with pytest.raises(CensusError, match="no-such-server, which is not on PATH; `make setup`"):
        server_kinds.program("no-such-server")
