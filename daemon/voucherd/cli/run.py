"""`voucherd run`: the daemon in the foreground, or one pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from voucherd import log
from voucherd.cli.context import Context, json_option, pass_context, print_json
from voucherd.errors import ExitStatus

if TYPE_CHECKING:
    from voucherd.service.intake import Took
    from voucherd.service.passes import PassResult
    from voucherd.service.ports import Attempt
    from voucherd.service.records import Claimed
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


def watch(app: Application) -> None:
    """Every message and every attempt goes to the log, tied by the message's hash."""

    def message(took: Took) -> None:
        event = log.Event.MESSAGE_DUPLICATE if took.known else _OUTCOMES[took.outcome]
        vouchers = ", ".join(took.vouchers)
        with log.bind(message=took.sha256[:12]):
            log.info(event, message_id=took.message_id, code=took.code, reason=took.reason, vouchers=vouchers)

    def attempt(claim: Claimed, answer: Attempt) -> None:
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
    from voucherd.service.passes import Works
    from voucherd.settings import load
    from voucherd.wiring import Application

    app = context.app
    for fault in app.settings.warnings:
        log.warning(log.Event.CONFIGURATION_WARNING, detail=str(fault))

    def rebuild() -> Works:
        fresh = Application(load(context.config_path, context.environ), context.environ)
        watch(fresh)
        return fresh.works()

    Runner(app.works(), rebuild, context.clock, Notifier(os.environ), watchdog_seconds(os.environ)).run()
