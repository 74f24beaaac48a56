"""The daily summary at a growing number of vouchers: what its figures cost in time and memory.

    python -m benchmarks.summary [--sizes 10000 100000 1000000] [--partners 200]

The ledger is that of `benchmarks.idle`, on SQLite. Prints one JSON document: seconds of CPU for all figures of a day,
and how much the peak memory of the process grew while they were made.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from benchmarks.idle import grow
from benchmarks.ledgers import noon, rules_of
from voucherd.adapters.store import SqlStore
from voucherd.adapters.store.upgrade import ensure
from voucherd.service.replanning import replan_everything
from voucherd.service.summary import figures


def main() -> None:
    """Measures and prints."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    arguments.add_argument("--partners", type=int, default=200)
    given = arguments.parse_args()
    found = []
    with tempfile.TemporaryDirectory() as folder:
        store = SqlStore(f"sqlite:///{Path(folder) / 'voucherd.db'}")
        ensure(store)
        replan_everything(store, rules_of(given.partners), "empty")
        for minute, size in enumerate(given.sizes, start=1):
            rules = grow(store, rules_of(given.partners), size, minute)
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            started = time.process_time()
            with store.read() as tx:
                made = figures(tx, rules, ["vouchers"], (noon() - timedelta(days=1)).date(), noon(), 200)
            found.append(
                {
                    "vouchers": size,
                    "seconds": round(time.process_time() - started, 2),
                    "grown_mb": round(
                        (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024, 1
                    ),
                    "deadlines_of_seven_days": sum(count for _, count in made.due),
                }
            )
        store.close()
    print(json.dumps({"store": "SQLite", "sizes": found}, indent=2))


if __name__ == "__main__":
    main()
