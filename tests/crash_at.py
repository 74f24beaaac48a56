"""Runs the real command, and kills the process by SIGKILL at a named point: no handler, no buffer, no goodbye.

    python tests/crash_at.py POINT voucherd-arguments…

POINT is `WHAT:WHEN:N`. WHAT is a method, `module/Class.method`, or the commit of a writing transaction of the store,
`commit/Class.method`: of one in which that method of its tables was called (`commit/A.b!C.d`: and that one was not).
WHEN is `before` or `after`; a commit's `before` lies behind all statements of its transaction. N counts from 1.
A process that ends well without having come to its point ends with exit status 99.
"""

from __future__ import annotations

import functools
import importlib
import itertools
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

NOT_REACHED = 99


def die() -> None:
    """As the kernel does it when memory runs out, or a person with kill -9."""
    os.kill(os.getpid(), signal.SIGKILL)


def wrap_call(target: str, when: str, number: int) -> None:
    """Replaces the method by one that dies before or after its `number`-th call."""
    module, _, path = target.partition("/")
    name, _, method = path.partition(".")
    owner = getattr(importlib.import_module(module), name)
    original: Callable[..., Any] = getattr(owner, method)
    calls = itertools.count(1)

    @functools.wraps(original)
    def wrapped(*args: Any, **options: Any) -> Any:
        last = next(calls) == number
        if last and when == "before":
            die()
        answer = original(*args, **options)
        if last:
            die()
        return answer

    setattr(owner, method, wrapped)


def wrap_commit(called: str, when: str, number: int) -> None:
    """Replaces the store's `write` by one that dies before or after the `number`-th commit of this kind."""
    from voucherd.adapters.store import engine

    wanted, _, unwanted = called.partition("!")
    original = engine.SqlStore.write
    commits = itertools.count(1)
    here = threading.local()  # transactions of several threads go on side by side
    for each in filter(None, (wanted, unwanted)):
        _notice(engine, each, here)

    @contextmanager
    def write(store: engine.SqlStore) -> Iterator[Any]:
        with original(store) as transaction:
            here.calls = set()
            yield transaction
            last = wanted in here.calls and unwanted not in here.calls and next(commits) == number
            if last and when == "before":
                die()
        if last:
            die()

    engine.SqlStore.write = write  # type: ignore[method-assign]


def _notice(engine: Any, method: str, here: threading.local) -> None:
    """Has a method of the store's tables noted in `here` when it is called inside `write`."""
    owner, _, name = method.partition(".")
    table = getattr(engine, owner)
    original: Callable[..., Any] = getattr(table, name)

    @functools.wraps(original)
    def noticed(*args: Any, **options: Any) -> Any:
        getattr(here, "calls", set()).add(method)
        return original(*args, **options)

    setattr(table, name, noticed)


def main() -> None:
    """Arms the point and becomes voucherd."""
    what, when, number = sys.argv[1].split(":")
    kind, _, holder = what.partition("/")
    if kind == "commit":
        wrap_commit(holder, when, int(number))
    else:
        wrap_call(what, when, int(number))
    from voucherd.cli import main as voucherd

    sys.argv = ["voucherd", *sys.argv[2:]]
    try:
        voucherd()
    except SystemExit as end:
        sys.exit(NOT_REACHED if not end.code else end.code)


if __name__ == "__main__":
    main()
