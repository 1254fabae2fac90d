"""The import contracts of pyproject.toml: each fails when it is violated. `lint-imports` checks the tree itself."""

from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import grimp
import pytest
from importlinter.api import read_configuration
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.contracts.layers import LayersContract
from importlinter.contracts.protected import ProtectedContract
from importlinter.domain.contract import ContractCheck

ROOT = Path(__file__).parents[1]
MOST_LAYERS = 9
KINDS = {"forbidden": ForbiddenContract, "layers": LayersContract, "protected": ProtectedContract}
DOWN = "one way down"
PURE = "the pure stay pure"

#: A contract, and an import that the contract must refuse.
WRONG = (
    (DOWN, "pipeline.lake.store", "pipeline.publish.report"),
    (DOWN, "pipeline.wire.packet", "pipeline.guard.sockets"),
    (DOWN, "pipeline.publish.report", "pipeline.worker.rows"),
    (DOWN, "pipeline.probe.engine", "pipeline.optout.register"),
    (DOWN, "pipeline.outcome", "pipeline.console.show"),
    (DOWN, "pipeline.publish.report", "pipeline.site.page"),
    ("flows use the pipeline, never the reverse", "pipeline.sweep.run", "flows.sweep"),
    (PURE, "pipeline.plan.plan", "time"),
    (PURE, "pipeline.statistics.beta", "random"),
    (PURE, "pipeline.wire.pdu", "socket"),
    (PURE, "pipeline.associate.conversation", "asyncio"),
    (PURE, "pipeline.associate.limits", "threading"),
    (PURE, "pipeline.optout.chained", "os"),
    (PURE, "pipeline.optout.events", "os"),
    (PURE, "pipeline.probe.flow", "select"),
    (PURE, "pipeline.probe.pacer", "time"),
    (PURE, "pipeline.publish.estimates", "duckdb"),
    ("prefect belongs to the flows", "pipeline.commands.orchestrate", "prefect"),
    ("zmq belongs to transport and worker", "pipeline.lake.store", "zmq"),
    ("duckdb belongs to the views", "pipeline.sweep.run", "duckdb"),
    ("obstore belongs to the lake", "pipeline.worker.coordinator", "obstore"),
    ("maxminddb belongs to enrichment", "pipeline.sweep.freeze", "maxminddb"),
    ("pynetdicom belongs to the wire and the testbed", "pipeline.associate.client", "pynetdicom"),
    ("prometheus_client belongs to the metrics", "pipeline.status.snapshot", "prometheus_client"),
    ("dns belongs to reverse DNS", "pipeline.attribution.check", "dns"),
    ("pyroute2 belongs to the guard", "pipeline.testbed.run", "pyroute2"),
    ("uvloop belongs to associations", "pipeline.worker.associator", "uvloop"),
    ("figures belong to publication", "pipeline.site.page", "vl_convert"),
    ("figures belong to publication", "pipeline.console.show", "altair"),
    ("encryption and STIX belong to hand-overs", "pipeline.sweep.run", "pyrage"),
    ("xlsxwriter belongs to the console", "pipeline.publish.folder", "xlsxwriter"),
    ("typer belongs to the commands", "pipeline.console.show", "typer"),
)


@cache
def configuration() -> dict[str, Any]:
    return read_configuration(str(ROOT / "pyproject.toml"))


@cache
def imports() -> grimp.ImportGraph:
    return grimp.build_graph(*configuration()["session_options"]["root_packages"], include_external_packages=True)


def checked(name: str, graph: grimp.ImportGraph) -> ContractCheck:
    [options] = [options for options in configuration()["contracts_options"] if options["name"] == name]
    contract = KINDS[options["type"]](name, configuration()["session_options"], options)
    return contract.check(graph, verbose=False)


@pytest.mark.parametrize(("contract", "importer", "imported"), WRONG)
def test_a_wrong_import_breaks_its_contract(contract: str, importer: str, imported: str) -> None:
    """The tree as it is keeps the contract, and one more import breaks it."""
    graph = deepcopy(imports())
    assert importer in graph.modules
    assert checked(contract, deepcopy(graph)).kept
    graph.add_import(importer=importer, imported=imported, line_number=1, line_contents=f"import {imported}")
    assert not checked(contract, graph).kept


def test_the_house_stays_low() -> None:
    """Under the entry point `__main__`, the program has at most nine layers."""
    [options] = [options for options in configuration()["contracts_options"] if options["name"] == DOWN]
    entry, *layers = options["layers"]
    assert entry == "__main__" and len(layers) <= MOST_LAYERS, layers


def test_a_new_file_needs_a_layer() -> None:
    """A module that no layer names breaks the contract, so the package's root cannot fill up again."""
    graph = deepcopy(imports())
    graph.add_module("pipeline.helpers")
    assert not checked(DOWN, graph).kept


def test_an_impure_module_taints_those_that_import_it() -> None:
    """A pure module must not reach a clock through another module either."""
    graph = deepcopy(imports())
    for importer, imported in (("pipeline.errors", "pipeline.host"), ("pipeline.host", "time")):
        graph.add_import(importer=importer, imported=imported, line_number=1, line_contents="")
    assert not checked(PURE, graph).kept


def test_every_contract_is_proved() -> None:
    """Each contract of pyproject.toml has a forbidden import in this file's table."""
    assert {options["name"] for options in configuration()["contracts_options"]} == {name for name, *_ in WRONG}
