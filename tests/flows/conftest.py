"""One server for the tests of flows that a worker runs: it takes longer to start than most of them take to run."""

from collections.abc import Iterator

import pytest

from tests.flows.serving import Server, serving


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with the pools of `prefect.yaml`, and soon its deployments."""
    with serving(tmp_path_factory.mktemp("fleet")) as made:
        for pool in ("server", "vantage-one", "vantage-two"):
            made.make_pool(pool)
        with made.deploying():
            yield made
