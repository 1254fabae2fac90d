"""The made-up history as a lake, as the tests of publication have it."""

from tests.publish.conftest import history_con, history_lake

__all__ = ["history_con", "history_lake"]
