"""A made-up audit for the tests of its report, with hostile peers."""

from pathlib import Path

from pipeline.publish import audit
from pipeline.publish.audit import Audit
from pipeline.sweep import own_audit as auditing
from tests.analysis import lake
from tests.owner import hospital
from tests.publish import demo
from tests.publish.demo import FIRST, NAMES


def gathered(folder: Path) -> Audit:
    """The findings about ten services with hostile names, one that checks titles, one with old TLS and one silent port."""
    plan = auditing.audit_plan(hospital(folder, "capabilities"), folder / "lake")
    contexts = [{"id": 1, "result": 0, "transfer_syntax": "1.2.840.10008.1.2"}, {"id": 15, "result": 0}]
    accepting = [
        {"ip": FIRST + n, "port": 104, "outcome": "accepted", "implementation_version_name": name, "contexts": contexts}
        for n, name in enumerate(NAMES)
    ]
    rejecting = {"ip": FIRST + 90, "port": 104, "outcome": "rejected", "rj_source": 1, "rj_reason": 7}
    behind = {"ip": FIRST + 91, "port": 2762, "outcome": "accepted", "transport": "tls"}
    silent = {"ip": FIRST + 92, "port": 104, "outcome": "silent"}
    tls = {
        "ip": FIRST + 91, "port": 2762, "handshake": "completed", "version": "TLSv1.1", "outcome": "accepted",
        "client_certificate": "not_requested", "valid_at_visit": False, "cipher": NAMES[1],
        "chain": [{"self_signed": True, "not_after": lake.WHEN}],
    }  # fmt: skip
    rows = [{"profile": "capabilities"} | row for row in (*accepting, rejecting, behind)]
    tables = {
        "sweeps": [demo.sweep_row(100, 13)],
        "receipts": [{"suppressed": 2}],
        "responses": [{key: row[key] for key in ("ip", "port", "outcome")} for row in (*rows, silent)],
        "associations": rows,
        "tls": [tls],
        "fingerprints": [{"ip": FIRST, "port": 104, "product": "Orthanc", "product_version": "1.12.6"}],
    }
    here = {name: [row | {"sweep": plan.sweep} for row in lines] for name, lines in tables.items()}
    return audit.gather(lake.connect(**here), plan)
