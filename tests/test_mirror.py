"""The tests mirror the tree: tests/a/test_x.py proves pipeline/a/x.py (or flows/x.py, tools/x.py, benchmarks/x.py).

Exceptions are in one of two tables. An entry that is no longer needed fails, so that both tables only become shorter.
"""

from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]

#: Test files, and folders of test files, that belong to no module, and their subjects.
OF_NO_MODULE = {
    "tests/analysis": "the queries and views of analysis/",
    "tests/chaos": "sweeps whose network loses packets and whose processes are killed",
    "tests/docs": "the documents of docs/",
    "tests/end_to_end": "whole sweeps of a closed testbed",
    "tests/associate/test_servers.py": "associations with the servers of testbeds",
    "tests/associate/test_tls_servers.py": "TLS with the servers of testbeds",
    "tests/benchmarks/test_benchmarks.py": "every benchmark, on little",
    "tests/flows/test_automations.py": "the automations of flows/automations.yaml",
    "tests/flows/test_deployments.py": "the deployments of prefect.yaml",
    "tests/flows/test_outages.py": "a fleet whose server or database is away",
    "tests/lab": "the laboratory of DICOM servers, which is run by hand",
    "tests/fuzz/test_readers.py": "every reader of the program, and its fuzz target",
    "tests/lake/test_earlier_lake.py": "lakes that an earlier program wrote",
    "tests/publish/test_by_sql.py": "every estimate, interval and p of a report, by SQL alone",
    "tests/publish/test_chromium.py": "the report's page, as a browser shows it",
    "tests/publish/test_docs_sql.py": "the queries of docs/sql.md",
    "tests/publish/test_recomputed.py": "the report's numbers, computed again another way",
    "tests/publish/test_hidden.py": "what the tests of publications look for in every file",
    "tests/publish/test_harm_worlds.py": "what harm checks measure where packets are lost and hosts are slow",
    "tests/publish/test_worlds.py": "what a report concludes where nothing happens",
    "tests/publish/test_review_worlds.py": "what a report says of worlds in which addresses, paths, networks and databases change",
    "tests/publish/test_secrets.py": "no address in anything that is published",
    "tests/site/test_site_in_chromium.py": "the pages of a site, as a browser shows them",
    "tests/space/test_coverage.py": "every target exactly once",
    "tests/space/test_outside.py": "the order of targets, against what others compute",
    "tests/statistics/test_loss.py": "the estimate of loss, against a simulation",
    "tests/tools/test_dist.py": "tools/dist, a shell script",
    "tests/tools/test_packages.py": "tools/packages, a shell script",
    "tests/test_every.py": "tests of many cases",
    "tests/test_contracts.py": "the import contracts of pyproject.toml",
    "tests/test_main.py": "what holds of every command",
    "tests/test_mirror.py": "the tree and its tests",
    "tests/test_names.py": "names and sizes of the whole tree",
    "tests/test_packaging.py": "the distribution and its names",
    "tests/test_texts.py": "texts of the whole tree",
    "tests/views/test_newest_duckdb.py": "views and queries with another DuckDB",
    "tests/wire/test_fixtures.py": "the encoded PDUs that other tests decode",
    "tests/wire/test_oracle.py": "our codec against pynetdicom's",
    "tests/wire/test_three_ways.py": "all captured PDUs, against pynetdicom and scapy",
}

#: Modules without a test file of their own name, and the test file that proves each.
COVERED_BY = {
    "pipeline/release/claims.py": "tests/release/test_bundle.py",
    "pipeline/release/contents.py": "tests/release/test_bundle.py",
    "pipeline/release/crate.py": "tests/release/test_bundle.py",
    "pipeline/release/croissant.py": "tests/release/test_bundle.py",
    "pipeline/release/datacite.py": "tests/release/test_bundle.py",
    "pipeline/release/datapackage.py": "tests/release/test_bundle.py",
    "pipeline/release/dictionary.py": "tests/release/test_bundle.py",
    "pipeline/release/draw.py": "tests/release/test_bundle.py",
    "pipeline/release/microdata.py": "tests/release/test_bundle.py",
    "pipeline/release/redraw.py": "tests/release/test_bundle.py",
    "pipeline/release/reproduce.py": "tests/release/test_bundle.py",
    "pipeline/publish/meaning.py": "tests/publish/test_markdown_report.py",
    "pipeline/words/steps.py": "tests/publish/test_funnel.py",
    "pipeline/publish/licences.py": "tests/release/test_citation.py",
    "flows/refresh.py": "tests/flows/test_fleet.py",
    "flows/report.py": "tests/flows/test_fleet.py",
    "flows/artifacts.py": "tests/flows/test_embedded.py",
    "flows/sweep.py": "tests/flows/test_embedded.py",
    "flows/vantage.py": "tests/flows/test_fleet.py",
    "pipeline/associate/handshake.py": "tests/associate/test_tls.py",
    "pipeline/associate/loop.py": "tests/associate/test_client.py",
    "pipeline/associate/pdu_facts.py": "tests/associate/test_conversation.py",
    "pipeline/associate/state.py": "tests/associate/test_conversation.py",
    "pipeline/attribution/files.py": "tests/attribution/test_check.py",
    "pipeline/commands/app.py": "tests/test_main.py",
    "pipeline/commands/associators.py": "tests/worker/test_remote_associator.py",
    "pipeline/commands/audits.py": "tests/sweep/test_own_audit.py",
    "pipeline/commands/notify.py": "tests/notify/test_hand_over.py",
    "pipeline/commands/hand_overs.py": "tests/notify/test_hand_over.py",
    "pipeline/notify/prepared.py": "tests/notify/test_hand_over_register.py",
    "pipeline/commands/options.py": "tests/test_main.py",
    "pipeline/commands/orchestrate.py": "tests/flows/test_embedded.py",
    "pipeline/commands/verbosity.py": "tests/test_main.py",
    "pipeline/commands/version.py": "tests/test_main.py",
    "pipeline/optout/obeyed.py": "tests/commands/test_optouts.py",
    "pipeline/commands/help.py": "tests/test_main.py",
    "pipeline/enrich/database_kind.py": "tests/enrich/test_database_file.py",
    "pipeline/commands/doctor.py": "tests/doctor/test_examine.py",
    "pipeline/doctor/finding.py": "tests/doctor/test_examine.py",
    "pipeline/config/toml_file.py": "tests/config/test_load.py",
    "pipeline/config/sections.py": "tests/config/test_load.py",
    "pipeline/config/values.py": "tests/config/test_load.py",
    "pipeline/console/show.py": "tests/commands/test_optouts.py",
    "pipeline/console/json_lines.py": "tests/commands/test_results.py",
    "pipeline/console/status_page.py": "tests/status/test_snapshot.py",
    "pipeline/enrich/partition.py": "tests/enrich/test_network_kinds.py",
    "pipeline/errors.py": "tests/test_main.py",
    "pipeline/guard/notices.py": "tests/guard/test_nftables.py",
    "pipeline/guard/proof.py": "tests/guard/test_sockets.py",
    "pipeline/lake/pending.py": "tests/worker/test_shards.py",
    "pipeline/lake/read.py": "tests/lake/test_cache.py",
    "pipeline/optout/edit.py": "tests/commands/test_optouts.py",
    "pipeline/optout/watch.py": "tests/optout/test_register.py",
    "pipeline/probe/engine.py": "tests/end_to_end/test_internet.py",
    "pipeline/probe/engine_events.py": "tests/worker/test_connector.py",
    "pipeline/probe/flow_table.py": "tests/probe/test_greeting.py",
    "pipeline/publish/data.py": "tests/publish/test_gather.py",
    "pipeline/publish/headings.py": "tests/publish/test_report.py",
    "pipeline/views/published_counts.py": "tests/publish/test_other_studies.py",
    "pipeline/publish/structure_headings.py": "tests/publish/test_structure.py",
    "pipeline/publish/system_headings.py": "tests/publish/test_system_sentences.py",
    "pipeline/publish/disclosure_rules.py": "tests/publish/test_disclosure.py",
    "pipeline/record/visit.py": "tests/associate/test_conversation.py",
    "pipeline/rings/filter.py": "tests/rings/test_packet_ring.py",
    "pipeline/rings/memory.py": "tests/rings/test_packet_ring.py",
    "pipeline/rings/receive.py": "tests/rings/test_packet_ring.py",
    "pipeline/rings/transmit.py": "tests/rings/test_packet_ring.py",
    "pipeline/publish/chart.py": "tests/publish/test_figures.py",
    "pipeline/publish/charts.py": "tests/publish/test_figures.py",
    "pipeline/publish/land.py": "tests/publish/test_worldmap.py",
    "pipeline/site/page.py": "tests/site/test_write_site.py",
    "pipeline/site/pages.py": "tests/site/test_write_site.py",
    "pipeline/space/geo_databases.py": "tests/plan/test_plan.py",
    "pipeline/space/permit.py": "tests/probe/test_listener.py",
    "pipeline/status/finished.py": "tests/status/test_snapshot.py",
    "pipeline/status/remaining.py": "tests/status/test_snapshot.py",
    "pipeline/status/workers.py": "tests/status/test_snapshot.py",
    "pipeline/sweep/freeze.py": "tests/sweep/test_run.py",
    "pipeline/sweep/reparse.py": "tests/end_to_end/test_tls.py",
    "pipeline/plan/own_ranges.py": "tests/space/test_signed.py",
    "pipeline/testbed/capture.py": "tests/testbed/test_run.py",
    "pipeline/testbed/closed.py": "tests/guard/test_namespaces.py",
    "pipeline/testbed/decoys.py": "tests/testbed/test_run.py",
    "pipeline/testbed/namespace_keeper.py": "tests/testbed/test_run.py",
    "pipeline/testbed/internet/serve.py": "tests/end_to_end/test_internet.py",
    "pipeline/testbed/internet/transmitter.py": "tests/testbed/internet/test_responder.py",
    "pipeline/testbed/scp.py": "tests/testbed/test_server_kinds.py",
    "pipeline/testbed/truth.py": "tests/testbed/test_spec.py",
    "pipeline/testbed/world.py": "tests/testbed/test_run.py",
    "pipeline/transport/messages.py": "tests/transport/test_channel.py",
    "pipeline/wire/alert.py": "tests/associate/test_tls.py",
    "pipeline/wire/fields.py": "tests/wire/test_pdu.py",
    "pipeline/guard/vantage_namespace.py": "tests/guard/test_sockets.py",
    "pipeline/worker/control_targets.py": "tests/end_to_end/test_internet.py",
    "pipeline/worker/coordinator.py": "tests/worker/test_shards.py",
    "pipeline/worker/fanout.py": "tests/end_to_end/test_senders.py",
    "pipeline/worker/harm_checks.py": "tests/end_to_end/test_harm.py",
    "pipeline/worker/processes.py": "tests/worker/test_process.py",
    "pipeline/worker/second_visits.py": "tests/end_to_end/test_tls.py",
    "pipeline/worker/sender.py": "tests/end_to_end/test_senders.py",
    "pipeline/worker/sending.py": "tests/end_to_end/test_internet.py",
    "pipeline/worker/side_tasks.py": "tests/end_to_end/test_internet.py",
    "pipeline/worker/shard_run.py": "tests/worker/test_shards.py",
    "pipeline/worker/stages.py": "tests/worker/test_process.py",
    "pipeline/worker/writer.py": "tests/worker/test_rows.py",
}


def modules() -> set[str]:
    """Every module that needs a test: those of pipeline and flows, except the packages themselves and `__main__`."""
    paths = (path for package in ("pipeline", "flows") for path in (ROOT / package).rglob("*.py"))
    return {path.relative_to(ROOT).as_posix() for path in paths if not path.name.startswith("__")}


def mirrors(test: Path) -> Iterator[str]:
    """The modules that a test file may belong to by its place and name; packages by their `__init__`."""
    inner = test.relative_to(ROOT / "tests")
    module = inner.with_name(inner.name.removeprefix("test_"))
    places = (Path("pipeline") / module, module)
    yield from (place.as_posix() for place in places if len(place.parts) > 1)


def proofs() -> dict[str, set[str]]:
    """Every test file, and the modules that it may belong to."""
    paths = sorted((ROOT / "tests").rglob("test_*.py"))
    return {
        path.relative_to(ROOT).as_posix(): {name for name in mirrors(path) if (ROOT / name).is_file()} for path in paths
    }


def test_every_test_file_has_its_module() -> None:
    """A test file is named after the module that it proves, or is in the table with its subject."""
    without = {name for name, proved in proofs().items() if not proved}
    folders = {name.rpartition("/")[0] for name in without} & set(OF_NO_MODULE)
    assert {name for name in without if name.rpartition("/")[0] not in folders} | folders == set(OF_NO_MODULE)


def test_every_module_has_its_test_file() -> None:
    """A module has a test file of its name, or is in the table with the test file that proves it."""
    assert modules() - set().union(*proofs().values()) == set(COVERED_BY)


def test_the_tables_name_tests() -> None:
    """Each file that proves a module, according to the table, is a test file."""
    assert set(COVERED_BY.values()) <= set(proofs())
