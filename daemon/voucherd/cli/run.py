"""`voucherd run`: the daemon in the foreground, or one pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import TYPE_CHECKING

import click

from voucherd import log
from voucherd.cli.context import Context, json_option, pass_context, print_json
from voucherd.errors import ExitStatus, TemporaryError

if TYPE_CHECKING:
    from voucherd.adapters.metrics import Metrics
    from voucherd.runner import Runner
    from voucherd.service.intake import Took
    from voucherd.service.passes import PassResult
    from voucherd.service.ports import Attempt
    from voucherd.service.records import Claimed
    from voucherd.service.sign_ins import SignInMeasure
    from voucherd.wiring import Application

_OUTCOMES = {
    "recorded": log.Event.MESSAGE_RECORDED,
    "ignored": log.Event.MESSAGE_IGNORED,
    "review": log.Event.MESSAGE_REVIEW,
}
_ATTEMPTS = {
    "sent": log.Event.OUTBOX_SENT,
    "temporary": log.Event.OUTBOX_FAILED,
    "permanent": log.Event.OUTBOX_FAILED,
    "in-doubt": log.Event.OUTBOX_IN_DOUBT,
}


@click.command()
@click.option("--once", is_flag=True, help="One whole pass: read, decide, send, exit.")
@json_option
@pass_context
def run(context: Context, once: bool, as_json: bool) -> int:
    """Reads the mailboxes, records, reminds and sends."""
    app = context.app
    watch(app)
    from voucherd.adapters.store.lease import only_daemon

    with only_daemon(app.store):
        _look_whole(app)
        if app.store.file is not None:  # alone: what is still being sent was cut off by a crash
            with app.store.write() as tx:
                tx.outbox.interrupted()
        if once:
            return _once(context, as_json)
        _forever(context)
        return ExitStatus.DONE


def _look_whole(app: Application) -> None:
    """A damaged store is not written to; archived messages that are gone are named, and the daemon goes on."""
    from voucherd.adapters.store.integrity import look_whole
    from voucherd.service.archive_check import sample

    look_whole(app.store)
    found = sample(app.store, app.archive)
    lost = {"missing": len(found.missing), "damaged": len(found.damaged)}
    if not found.whole:
        what = f"of {found.expected} archived messages looked at: " + _counted(lost)
        log.error(
            log.Event.STORE_FAILED, detail=what, remedy="`voucherd check` names them; restore the archive"
        )
    log.info(log.Event.STORE_OPENED, where=app.store.where, archive_looked_at=found.expected)


def _counted(numbers: dict[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in numbers.items() if number)


def watch(app: Application, metrics: Metrics | None = None) -> None:
    """Every message and every attempt goes to the log, tied by the message's hash, and into the metrics."""

    def message(took: Took) -> None:
        event = log.Event.MESSAGE_DUPLICATE if took.known else _OUTCOMES[took.outcome]
        vouchers = ", ".join(took.vouchers)
        if metrics is not None:
            metrics.message("duplicate" if took.known else took.outcome)
        with log.bind(message=took.sha256[:12]):
            log.info(event, message_id=took.message_id, code=took.code, reason=took.reason, vouchers=vouchers)

    def attempt(claim: Claimed, answer: Attempt) -> None:
        if metrics is not None:
            metrics.attempt(answer.outcome.value)
        log.info(
            _ATTEMPTS[answer.outcome.value],
            mail=claim.delivery.mail,
            kind=claim.kind,
            to=claim.delivery.address,
            message_id=claim.message_id,
            answer=answer.answer,
            attempt=claim.delivery.attempts,
        )

    app.watch_message, app.watch_attempt = message, attempt


def _once(context: Context, as_json: bool) -> int:
    from voucherd.service.passes import one_pass

    app = context.app
    context.writing_now()
    result = one_pass(
        app.works(),
        context.clock,
        failed=lambda name, error: log.warning(log.Event.MAILBOX_FAILED, mailbox=name, detail=str(error)),
    )
    if as_json:
        print_json(pass_json(result))
    else:
        click.echo(pass_line(result))
    for line in (*result.unavailable, *filter(None, [result.sent.held])):
        click.echo(f"voucherd: {line}", err=True)
    if result.unavailable:
        return ExitStatus.UNAVAILABLE
    return ExitStatus.LOOK if result.sent.held else ExitStatus.DONE


def pass_json(result: PassResult) -> dict[str, int]:
    """CONTRACT.md, `ingest` and `run --once`."""
    counts = result.counts
    return {
        "read": counts.read,
        "recorded": counts.recorded,
        "ignored": counts.ignored,
        "review": counts.review,
        "duplicates": counts.duplicates,
        "sent": result.sent.sent,
        "failed": result.sent.failed,
    }


def pass_line(result: PassResult) -> str:
    """What a pass did, in one line for people."""
    counts, sent = result.counts, result.sent
    line = (
        f"{counts.read} read: {counts.recorded} recorded, {counts.ignored} ignored, {counts.review} in review, "
        f"{counts.duplicates} known already; {sent.sent} sent, {sent.failed} failed"
    )
    if sent.delayed:
        line += f", {sent.delayed} to be tried again"
    return line + (f", {sent.in_doubt} in doubt" if sent.in_doubt else "")


def _forever(context: Context) -> None:
    import os

    from voucherd.adapters.systemd import Notifier, watchdog_seconds
    from voucherd.runner import Runner
    from voucherd.runner.clockwatch import ClockWatch, steady
    from voucherd.service.passes import Works
    from voucherd.settings import load
    from voucherd.wiring import Application

    app = context.app
    for fault in app.settings.warnings:
        log.warning(log.Event.CONFIGURATION_WARNING, detail=str(fault))

    metrics: Metrics | None = None

    owner = app

    def rebuild() -> Works:
        nonlocal owner
        fresh = Application(load(context.config_path, context.environ), context.environ)
        watch(fresh, metrics)
        fresh.leases = owner.leases  # the mailboxes stay where they are, whatever is reloaded
        works = fresh.works()
        del owner.leases  # who is closed now does not give them back
        owner = fresh
        return works

    manager, wait = Notifier(os.environ), watchdog_seconds(os.environ)
    clock_watch = ClockWatch(context.clock, steady if context.as_of is None else None)
    runner = Runner(app.works(), rebuild, context.clock, manager, wait, clock_watch)
    place = app.settings.metrics.place
    if place is None:
        runner.run()
        return
    metrics = metrics_of(runner, context.clock)
    watch(app, metrics)
    with ExitStack() as serving:
        try:
            serving.enter_context(metrics.served(*place))
        except TemporaryError as error:
            log.error(log.Event.METRICS_FAILED, detail=str(error))
        runner.run()


def metrics_of(runner: Runner, clock: Callable[[], datetime]) -> Metrics:
    """The metrics of a daemon, with the configuration of the moment behind them."""
    from importlib.metadata import version

    from voucherd.adapters.metrics import Metrics, Sources
    from voucherd.service.measures import Measures, lost_messages, measures

    def look() -> Measures:
        with runner.using() as works, works.store.read() as tx:
            return measures(tx, works.rules, [post.name for post in works.posts], clock())

    def lost() -> dict[str, int]:
        with runner.using() as works, works.store.read() as tx:
            return lost_messages(tx)

    def sign_ins() -> Sequence[SignInMeasure]:
        with runner.using() as works:
            return works.sign_ins(clock())

    return Metrics(Sources(look, lost, runner.silent, version("voucherd"), sign_ins))
