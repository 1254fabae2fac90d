"""The made-up history as a lake, shared with the tests of publication."""

from tests.publish.conftest import history_con, history_lake

__all__ = ["history_con", "history_lake"]
