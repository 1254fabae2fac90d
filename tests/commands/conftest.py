import signal
import sys

import pytest

from pipeline.commands.app import main
from tests.commands.running import Census, Ended


@pytest.fixture
def census(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Census:
    """The command line, in this process."""

    def run(*arguments: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["census", *map(str, arguments)])
        before = signal.getsignal(signal.SIGTERM)
        with pytest.raises(SystemExit) as ended:
            main()
        signal.signal(signal.SIGTERM, before)
        output = capsys.readouterr()
        return Ended(int(ended.value.code or 0), output.out, output.err)

    return run
