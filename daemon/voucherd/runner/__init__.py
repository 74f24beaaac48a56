"""The daemon: passes without end, until it is told to stop.

One thread a mailbox (it waits for push, and drains), one for the outbox, and the main thread, which only ticks:
`schedule` says when somebody must look, signals say when to end or to reload, and the watchdog is fed while
every loop makes progress.
"""

from __future__ import annotations

from voucherd.runner.daemon import Manager, Runner

__all__ = ["Manager", "Runner"]
