"""The checks: each check is silent on a sound lake and reports its fault."""

from typing import Any

import pytest

from pipeline.outcome import Outcome
from pipeline.views import views
from tests.analysis.lake import connect
from tests.publish import demo

UK = 0xC13E0001
ECHOED = {"ip": UK, "port": 104, "outcome": "echoed"}
UNKNOWN = {"ip": UK, "port": 104, "outcome": "fine"}
SPACE = {"addresses": 10, "sampled_addresses": 10}
SERIES = {
    "sweeps": [SPACE, SPACE | {"sweep": "s2"}],
    "methods": [{"method_digest": "m"}, {"method_digest": "m", "sweep": "s2"}],
}
FAULTS: dict[str, dict[str, Any]] = {
    "outcome_unknown": {"responses": [UNKNOWN]},
    "response_twice": {"responses": [ECHOED, ECHOED]},
    "association_twice": {"associations": [ECHOED, ECHOED]},
    "fingerprint_twice": {"fingerprints": [{"ip": UK, "port": 104}, {"ip": UK, "port": 104}]},
    "association_not_judged": {"associations": [ECHOED], "fingerprints": [{"ip": UK, "port": 11112}]},
    "location_twice": {"locations": [{"ip": UK}, {"ip": UK}]},
    "association_without_response": {"associations": [ECHOED]},
    "dicom_without_association": {"responses": [ECHOED]},
    "banner_missing": {"responses": [{**ECHOED, "outcome": "not_dicom", "banner": 5}]},
    "response_not_placed": {"responses": [ECHOED], "locations": [{"ip": UK + 1}]},
    "sweep_totals_differ": {"sweeps": [{**SPACE, "probes_sent": 5}], "receipts": [{"probes_sent": 4}]},
    "transitions_differ": {**SERIES, "associations": [ECHOED, ECHOED, ECHOED | {"sweep": "s2"}]},
    "space_overlaps": {"sweeps": [SPACE], "space": [{"first": 1, "last": 6}, {"first": 6, "last": 9}]},
    "host_name_not_judged": {"host_names": [{"ip": UK, "naming": "unconfirmed", "names": ["a.example"]}]},
    "network_coverage_differs": {"sweeps": [SPACE], "network_coverage": [{"asn": 786, "addresses": 9}]},
    "coverage_differs": {"sweeps": [SPACE], "coverage": [{"country": "GB", "addresses": 9}]},
}
CHECKS = dict(views.checks())


@pytest.mark.parametrize("name", CHECKS)
def test_a_sound_lake_passes(name: str) -> None:
    """A lake whose tables agree gives no rows, and an empty lake gives none either."""
    assert demo.connect().execute(CHECKS[name]).fetchall() == []
    assert connect().execute(CHECKS[name]).fetchall() == []


@pytest.mark.parametrize("name", CHECKS)
def test_a_fault_is_found(name: str) -> None:
    """Each check returns a row for the fault that it is named after."""
    assert connect(**FAULTS[name]).execute(CHECKS[name]).fetchall()


def test_association_with_another_outcome_is_found() -> None:
    """Two tables with different outcomes of a target are reported."""
    con = connect(responses=[{**ECHOED, "outcome": "reset"}], associations=[ECHOED])
    assert con.execute(CHECKS["association_without_response"]).fetchall()


def test_the_closed_set_is_that_of_the_program() -> None:
    """The check allows every outcome that the program can record."""
    answered = [{"ip": UK + n, "port": 104, "outcome": outcome} for n, outcome in enumerate(Outcome)]
    assert not connect(responses=answered).execute(CHECKS["outcome_unknown"]).fetchall()
