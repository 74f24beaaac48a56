"""Metrics: what is served is what docs/metrics.md names, the alert rules and the dashboard name nothing else, and a
store that is away or a port that is taken stops nothing."""

from __future__ import annotations

import json
import re
import signal
import socket
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.acceptance.desk import ENGLISH, Desk, sample
from tests.acceptance.running import NotifySocket, daemon, eventually
from tests.servers.dovecot import Dovecot
from tests.worlds import World, instant
from voucherd.adapters import metrics as served_metrics
from voucherd.adapters.metrics import Metrics, Sources
from voucherd.errors import TemporaryError
from voucherd.service.measures import Measures, lost_messages, measures
from voucherd.service.sign_ins import SignInMeasure

pytest_plugins = ["tests.stores"]

DOCS = Path(__file__).parents[2] / "docs"
NOW = instant("2021-10-29T12:00")
OURS = re.compile(r"\bvoucherd_[a-z_]+\b")
OF_THE_PROCESS = re.compile(r"\b(?:process|python)_[a-z_]+\b")
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def documented() -> dict[str, str]:
    """The table of docs/metrics.md: metric and its label."""
    rows = re.compile(r"^\| `(voucherd_[a-z_]+)` \| \w+ \| (?:`(\w+)`)? ?\|", re.MULTILINE)
    return dict(rows.findall((DOCS / "metrics.md").read_text()))


def scraped(port: int) -> Samples:
    """Every sample, as Prometheus reads them."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        assert answer.status == 200
        text = answer.read().decode()
    return {
        (one.name, tuple(sorted(one.labels.items()))): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
        if not one.name.endswith("_created")
    }


class Asked:
    """A store's figures, and how often they were asked for; `error` is raised instead."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.times = 0
        self.error: Exception | None = None
        self.sign_ins: list[SignInMeasure] = []

    def measures(self) -> Measures:
        self.times += 1
        if self.error is not None:
            raise self.error
        with self.world.store.read() as tx:
            return measures(tx, self.world.rules, ["vouchers", "other"], NOW)

    def lost(self) -> Mapping[str, int]:
        with self.world.store.read() as tx:
            return lost_messages(tx)


@contextmanager
def serving(asked: Asked) -> Iterator[tuple[Metrics, int]]:
    sources = Sources(asked.measures, asked.lost, lambda: {"outbox": 1.5}, "0.1.0", lambda: asked.sign_ins)
    figures = Metrics(sources)
    with figures.served("127.0.0.1", 0) as port:
        yield figures, port


def test_what_is_served_is_what_the_page_names_with_its_labels(world: World) -> None:
    with world.store.write() as tx:
        tx.state.mailbox_seen("vouchers", "ok", NOW, push="silent")
        tx.state.mailbox_seen("other", "unreachable", NOW, "away")
        tx.messages.see("vouchers", 7, ["1", "2"])
    world.first_reminder()
    asked = Asked(world)
    asked.sign_ins = [SignInMeasure("vouchers", True, 86_400.0, 3600.0)]
    with serving(asked) as (figures, port):
        figures.message("recorded")
        figures.attempt("sent")
        found = scraped(port)
    names = {name for name, _ in found if OURS.fullmatch(name)}
    assert names == documented().keys() - {"voucherd_review_open"}, "nothing is in review"
    for name, labels in found:
        if name in documented():
            assert [label for label, _ in labels] == [label for label in [documented()[name]] if label], name
    one = (("mailbox", "vouchers"),)
    assert found["voucherd_mailbox_up", one] == found["voucherd_mailbox_push_silent", one] == 1
    assert found["voucherd_mailbox_up", (("mailbox", "other"),)] == 0
    assert found["voucherd_mailbox_last_success_timestamp_seconds", one] == NOW.timestamp()
    assert found["voucherd_mailbox_lost_messages", one] == 2
    assert found["voucherd_outbox_mails", (("status", "planned"),)] == 1
    assert found["voucherd_outbox_mails", (("status", "failed"),)] == 0
    assert found["voucherd_outbox_due", ()] == 2
    assert found["voucherd_messages_total", (("outcome", "recorded"),)] == 1
    assert found["voucherd_messages_total", (("outcome", "duplicate"),)] == 0
    assert found["voucherd_loop_silent_seconds", (("loop", "outbox"),)] == 1.5
    assert found["voucherd_sending_up", ()] == 1


@pytest.mark.parametrize("file", ["prometheus-alerts.yaml", "grafana-dashboard.json"])
def test_the_rules_and_the_dashboard_name_only_what_is_there(file: str) -> None:
    text, page = (DOCS / file).read_text(), (DOCS / "metrics.md").read_text()
    named = set(OURS.findall(text))
    assert named <= documented().keys()
    assert set(OF_THE_PROCESS.findall(text)) <= set(OF_THE_PROCESS.findall(page))
    assert len(named) >= 13


def test_every_alert_has_an_expression_a_time_a_severity_and_what_to_do() -> None:
    text = (DOCS / "prometheus-alerts.yaml").read_text()
    rules = text.split("      - alert: ")[1:]
    form = re.compile(
        r"Voucherd\w+\n        expr: \S.*\n        for: \d+[mh]\n        labels: \{severity: (?:page|ticket)\}\n"
        r"        annotations:\n          summary: \S.*\n          action: \S.*\n?"
    )
    assert len(rules) >= 12
    for rule in rules:
        assert form.fullmatch(rule), rule
    assert len({rule.split("\n")[0] for rule in rules}) == len(rules)


def test_the_dashboard_is_one_that_grafana_takes() -> None:
    board = json.loads((DOCS / "grafana-dashboard.json").read_text())
    assert (board["title"], board["uid"]) == ("voucherd", "voucherd")
    for panel in board["panels"]:
        assert panel["title"]
        assert panel["type"] in {"stat", "timeseries"}
        assert all(target["expr"] for target in panel["targets"])
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in board["panels"]]
    assert len(set(places)) == len(places)


def test_the_store_is_asked_once_however_many_look(world: World) -> None:
    asked = Asked(world)
    with serving(asked) as (_, port):
        assert asked.times == 0
        for _ in range(5):
            scraped(port)
    assert asked.times == 1


def test_a_store_that_is_away_is_said_and_hides_nothing_else(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served_metrics, "_FRESH_SECONDS", 0.0)
    asked = Asked(world)
    asked.sign_ins = [SignInMeasure("vouchers", False, None, None)]
    with serving(asked) as (_, port):
        assert scraped(port)["voucherd_store_up", ()] == 1
        asked.error = TemporaryError("the database does not answer")
        found = scraped(port)
        assert found["voucherd_store_up", ()] == 0
        assert ("voucherd_outbox_due", ()) not in found
        assert ("voucherd_loop_silent_seconds", (("loop", "outbox"),)) in found
        assert found["voucherd_sign_in_up", (("sign_in", "vouchers"),)] == 0
        asked.error = None
        assert scraped(port)["voucherd_store_up", ()] == 1


def metrics_on(desk: Desk, port: int) -> Desk:
    desk.config.write_text(f'{desk.config.read_text()}\n[metrics]\nlisten = "127.0.0.1:{port}"\n')
    return desk


@pytest.fixture
def notify(tmp_path: Path) -> Iterator[NotifySocket]:
    with closing(NotifySocket(tmp_path / "notify")) as listening:
        yield listening


@pytest.mark.server
def test_the_daemon_serves_them_while_it_runs(
    tmp_path: Path, tls_files: Any, dovecot: Dovecot, mail_user: str, free_port: Any, notify: NotifySocket
) -> None:
    port = free_port()
    desk = metrics_on(
        Desk(tmp_path, tls_files, mail_user).imap(dovecot.imaps_port, mail_user).maildir_out(), port
    )
    dovecot.append(mail_user, [sample(ENGLISH)])
    with daemon(desk, "2021-07-01", NOTIFY_SOCKET=str(notify.path)) as running:
        running.says("outbox.sent", seconds=60)
        found: Samples = {}

        def all_there() -> bool:
            nonlocal found
            found = scraped(port)
            return found["voucherd_deliveries_total", (("outcome", "sent"),)] == 1

        assert eventually(all_there, 60)
        assert found["voucherd_messages_total", (("outcome", "recorded"),)] == 1
        assert {dict(labels)["loop"] for name, labels in found if name == "voucherd_loop_silent_seconds"} == {
            "mailbox vouchers",
            "outbox",
        }
        assert found["process_resident_memory_bytes", ()] > 10_000_000
        running.tell(signal.SIGTERM)
        assert running.ends(60) == 0


@pytest.mark.server
def test_a_port_that_is_taken_is_said_and_stops_nothing(
    tmp_path: Path, tls_files: Any, notify: NotifySocket
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        desk = metrics_on(Desk(tmp_path, tls_files).maildir().maildir_out(), taken.getsockname()[1])
        with daemon(desk, NOTIFY_SOCKET=str(notify.path)) as running:
            running.says("metrics.failed", "name a free port under [metrics] listen", seconds=60)
            notify.next("READY=1", 60)
            running.tell(signal.SIGTERM)
            assert running.ends(60) == 0
