"""What a command costs before it does anything: the CPU time of whole processes on the desk of `voucherd demo`, beside
the floor, a process that imports the libraries which every command needs and does nothing.

Each figure is the least of a few runs, for whatever else runs on the machine can only add to it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

COMMANDS = ("--version", "status", "review", "explain", "reconcile", "run --once", "check")
FLOOR = "import click, pydantic, sqlalchemy, sqlalchemy.dialects.sqlite; pydantic.BaseModel"


def main() -> None:
    """Prints the seconds of CPU of each command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as compiled:
        # compiled once, as an installed program is
        environ = {**os.environ, "PYTHONPYCACHEPREFIX": compiled}
        environ.pop("PYTHONDONTWRITEBYTECODE", None)
        _cpu([*_VOUCHERD, "demo", "--dir", folder], environ)
        voucherd = [*_VOUCHERD, "--config", str(Path(folder) / "voucherd.toml"), "--as-of", "2021-11-15"]
        shown = subprocess.run(
            [*voucherd, "vouchers", "--json"], env=environ, capture_output=True, check=True
        )
        voucher = json.loads(shown.stdout)[0]["id"]
        measured = {"floor": _least([sys.executable, "-c", FLOOR], environ, runs)}
        for command in COMMANDS:
            words = [*command.split(), voucher] if command == "explain" else command.split()
            measured[command] = _least([*voucherd, *words], environ, runs)
    print(json.dumps(measured, indent=2))


_VOUCHERD = [sys.executable, "-m", "voucherd"]


def _least(command: Sequence[str], environ: dict[str, str], runs: int) -> float:
    return round(min(_cpu(command, environ) for _ in range(runs)), 3)


def _cpu(command: Sequence[str], environ: dict[str, str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ran = subprocess.run(command, check=False, env=environ, capture_output=True)
    if ran.returncode > 1:  # 1 is a finding, and costs the same
        raise SystemExit(ran.stderr.decode())
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
