"""`census` on a machine with its own name and short leases: `python -m tests.chaos.machine NAME WORD…`."""

import socket
import sys
from functools import partial

#: The leases' time to live, in seconds: with the program's default, a takeover of a shard and its range takes four minutes.
TTL = 16.0


def main() -> None:
    """Run the command of the program that follows the name."""
    from pipeline.commands import app
    from pipeline.lake.leases import Leases
    from pipeline.worker import coordinator, shards

    socket.sethostname(sys.argv.pop(1))
    shards.Leases = coordinator.Leases = partial(Leases, ttl=TTL)  # type: ignore[assignment, misc]
    shards.RENEW_SECONDS = TTL / 8
    app.main()


if __name__ == "__main__":
    main()
