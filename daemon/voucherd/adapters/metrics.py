"""Metrics for Prometheus, over HTTP on this machine alone.

What stands in the store is asked when somebody looks, at most every few seconds; what only this process knows (messages
and deliveries since its start, how long each loop has been silent) is counted as it goes. docs/metrics.md names each.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Final
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, Counter, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from voucherd.errors import TemporaryError, VoucherdError
from voucherd.service.measures import Measures
from voucherd.service.sign_ins import SignInMeasure

_FRESH_SECONDS: Final = 5.0
_COUNT_SECONDS: Final = 600.0
OUTCOMES: Final = ("recorded", "ignored", "review", "duplicate")
ATTEMPTS: Final = ("sent", "temporary", "permanent", "in-doubt")
STATUSES: Final = (
    "planned",
    "held",
    "sending",
    "sent",
    "failed",
    "in-doubt",
    "superseded",
    "cancelled",
    "bounced",
)
"""Every label value that is known beforehand is there from the start, as 0: a rate needs the value before the first."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the figures come from: the store (raising TemporaryError where it is away), the lossless count, the seconds
    that each loop has been silent, and how the sign-ins stand."""

    measures: Callable[[], Measures]
    lost: Callable[[], Mapping[str, int]]
    silent: Callable[[], Mapping[str, float]]
    version: str
    sign_ins: Callable[[], Sequence[SignInMeasure]] = tuple


class Metrics:
    """The figures of one process, in a registry of its own."""

    def __init__(self, sources: Sources) -> None:
        self.registry = CollectorRegistry()
        self._messages = Counter(
            "voucherd_messages", "Messages taken in since the start.", ["outcome"], registry=self.registry
        )
        self._deliveries = Counter(
            "voucherd_deliveries", "Attempts to deliver since the start.", ["outcome"], registry=self.registry
        )
        for outcome in OUTCOMES:
            self._messages.labels(outcome)
        for outcome in ATTEMPTS:
            self._deliveries.labels(outcome)
        self.registry.register(_FromStore(sources))
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)

    def message(self, outcome: str) -> None:
        """A message came to this end."""
        self._messages.labels(outcome).inc()

    def attempt(self, outcome: str) -> None:
        """An attempt to deliver ended so."""
        self._deliveries.labels(outcome).inc()

    @contextmanager
    def served(self, host: str, port: int) -> Iterator[int]:
        """Serves them while the block runs, and gives the port; TemporaryError where that port is taken."""
        try:
            server, thread = start_http_server(port, host, self.registry)
        except OSError as error:
            raise TemporaryError(
                f"metrics cannot be served ({error.strerror or error})",
                where=f"{host}:{port}",
                remedy="name a free port under [metrics] listen",
            ) from error
        try:
            yield _port(server)
        finally:
            server.shutdown()
            server.server_close()
            thread.join(5)


class _FromStore:
    """What is asked at each look, once in a few seconds however many look."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._lock = threading.Lock()
        self._measures: Measures | None = None
        self._asked_at = self._counted_at = float("-inf")
        self._lost: Mapping[str, int] = {}

    def collect(self) -> Iterable[Metric]:
        """Every family; without the store those that need none, and `voucherd_store_up` 0."""
        with self._lock:
            self._ask()
            found = self._measures
            yield _gauge(
                "voucherd_build_info", "The release that runs.", {self._sources.version: 1}, "version"
            )
            yield _gauge("voucherd_store_up", "Whether the store answers.", int(found is not None))
            silent = {name: round(seconds, 3) for name, seconds in self._sources.silent().items()}
            yield _gauge(
                "voucherd_loop_silent_seconds", "Since each loop last showed that it lives.", silent, "loop"
            )
            yield from _credentials(self._sources.sign_ins())
            if found is not None:
                yield from _families(found, self._lost)

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand: the store is not asked before somebody looks."""
        return []

    def _ask(self) -> None:
        now = monotonic()
        if now - self._asked_at < _FRESH_SECONDS:
            return
        self._asked_at = now
        try:
            self._measures = self._sources.measures()
            if now - self._counted_at >= _COUNT_SECONDS:
                self._lost, self._counted_at = self._sources.lost(), now
        except VoucherdError:
            self._measures = None


def _credentials(sign_ins: Sequence[SignInMeasure]) -> Iterator[Metric]:
    """Nothing where nobody signs in by OAuth2."""
    if not sign_ins:
        return
    yield _gauge(
        "voucherd_sign_in_up",
        "Whether a sign-in by OAuth2 works, as far as it was tried.",
        {one.name: int(one.up) for one in sign_ins},
        "sign_in",
    )
    yield _gauge(
        "voucherd_client_secret_seconds_left",
        "Until the last day of a client secret is over.",
        {one.name: one.secret_seconds_left for one in sign_ins if one.secret_seconds_left is not None},
        "sign_in",
    )
    yield _gauge(
        "voucherd_access_token_seconds_left",
        "Until the access token that is kept lapses.",
        {one.name: one.token_seconds_left for one in sign_ins if one.token_seconds_left is not None},
        "sign_in",
    )


def _families(found: Measures, lost: Mapping[str, int]) -> Iterator[Metric]:
    yield _gauge(
        "voucherd_mailbox_up",
        "Whether the last look at a mailbox was good.",
        {m.name: int(m.up) for m in found.mailboxes},
        "mailbox",
    )
    yield _gauge(
        "voucherd_mailbox_last_success_timestamp_seconds",
        "When a mailbox was last looked at with success.",
        {m.name: m.last_success.timestamp() for m in found.mailboxes if m.last_success},
        "mailbox",
    )
    yield _gauge(
        "voucherd_mailbox_push_silent",
        "Whether a server promises to announce new mail, and does not.",
        {m.name: int(m.silent) for m in found.mailboxes},
        "mailbox",
    )
    yield _gauge(
        "voucherd_mailbox_lost_messages",
        "Messages that were seen and came to no end; counted every ten minutes.",
        {m.name: lost.get(m.name, 0) for m in found.mailboxes},
        "mailbox",
    )
    counts = {status: found.outbox.get(status, 0) for status in STATUSES}
    yield _gauge("voucherd_outbox_mails", "Mails of ours.", counts, "status")
    yield _gauge("voucherd_outbox_due", "Deliveries that are due now.", found.due)
    yield _gauge("voucherd_review_open", "What waits for a person.", found.review, "code")
    yield _gauge("voucherd_steps_overdue", "Reminder steps that are overdue by days.", found.overdue_steps)
    yield _gauge("voucherd_addresses_suppressed", "Addresses that take no mail.", found.suppressed)
    yield _gauge("voucherd_alarms_untold", "Alarms that no operator was told of yet.", found.untold_alarms)
    yield _gauge(
        "voucherd_sending_up",
        "Whether mail goes out, as far as it was tried.",
        int(found.sending.state != "down"),
    )
    last = found.sending.last_success
    yield _gauge(
        "voucherd_sending_last_success_timestamp_seconds",
        "When a mail was last taken by the server; 0 before the first.",
        last.timestamp() if last else 0,
    )


def _gauge(
    name: str, about: str, values: Mapping[str, float] | float, label: str | None = None
) -> GaugeMetricFamily:
    if not isinstance(values, Mapping):
        return GaugeMetricFamily(name, about, value=values)
    family = GaugeMetricFamily(name, about, labels=[label or ""])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def _port(server: WSGIServer) -> int:
    return int(server.server_address[1])
