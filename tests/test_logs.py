"""Lines on standard error, as text and as JSON."""

import json
import logging
from datetime import UTC, datetime, timedelta

import pytest

from pipeline import logs


def test_text_is_for_people(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """As text, a line has the message alone, with a prefix that tells warnings and errors; fields are left out."""
    monkeypatch.delenv(logs.VARIABLE, raising=False)
    logs.info("10 % done", probed=3)
    logs.warning("no reverse DNS")
    logs.error("lake: is not a lake", exit_code=2)
    assert capsys.readouterr().err.splitlines() == [
        "10 % done",
        "warning: no reverse DNS",
        "census: lake: is not a lake",
    ]


def test_json_is_one_object_a_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """As JSON, a line is an object with time, level, message and fields, whatever line breaks or letters the message has."""
    monkeypatch.setenv(logs.VARIABLE, "json")
    logs.info("10 %\ndone in Málaga", probed=3)
    logs.error("100%s", exit_code=2)
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert abs(datetime.fromisoformat(first.pop("time")) - datetime.now(UTC)) < timedelta(minutes=1)
    assert first == {"level": "INFO", "message": "10 %\ndone in Málaga", "probed": 3}
    assert (second["level"], second["message"], second["exit_code"]) == ("ERROR", "100%s", 2)


def test_other_loggers_are_left_alone(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """What a library does to the root logger changes nothing here, and the root logger gets none of these lines."""
    with caplog.at_level(logging.DEBUG):
        logs.info("alone")
    assert caplog.records == []
