"""`voucherd` as a process whose clock goes faster than time: an hour passes in seconds, with real servers around it.

    python -m tests.hurried SPEED voucherd's own words, --as-of first

The clock begins at `--as-of`, and what the outbox does every twenty seconds it does as much more often, but not more
often than every half second.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from time import monotonic
from zoneinfo import ZoneInfo

from voucherd.cli import clock
from voucherd.cli.clock import instant_of
from voucherd.cli.main import main
from voucherd.runner import daemon as daemon_module


def run(speed: float, words: list[str]) -> None:
    """Runs the command on that clock."""
    began = monotonic()

    def fast(as_of: str | None, zone: ZoneInfo) -> Callable[[], datetime]:
        assert as_of is not None, "the clock has to begin somewhere"
        start = instant_of(as_of, zone, "--as-of")
        return lambda: start + timedelta(seconds=(monotonic() - began) * speed)

    clock.clock_of = fast
    daemon_module._OUTBOX_SECONDS = max(1, int(20 / speed))
    sys.argv = ["voucherd", *words]
    main()


if __name__ == "__main__":
    run(float(sys.argv[1]), sys.argv[2:])
