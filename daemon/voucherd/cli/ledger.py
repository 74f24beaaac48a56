"""`voucherd vouchers`, `show` and `record`: the ledger."""

from __future__ import annotations

from datetime import date
from typing import Any

import click

from voucherd.cli.context import (
    Context,
    held_words,
    json_option,
    pass_context,
    plain,
    print_json,
    print_table,
)
from voucherd.errors import ExitStatus, OperatorError

_STATES = ("assigned", "reserved", "delivered", "redeemed", "billed", "paid", "expired", "lapsed", "revoked")


@click.command()
@click.option("--state", type=click.Choice(_STATES), help="Only vouchers in this state.")
@click.option("--partner", help="Only this partner's vouchers.")
@json_option
@pass_context
def vouchers(context: Context, state: str | None, partner: str | None, as_json: bool) -> int:
    """The ledger, a row each."""
    from voucherd.service import inspect

    app, now = context.app, context.reading_now
    with app.store.read() as tx:
        rows = list(inspect.vouchers_json(tx, app.rules, now, state, partner))
    if as_json:
        print_json(rows)
        return ExitStatus.DONE
    print_table(
        (
            "voucher",
            "state",
            "partner",
            "customer",
            "days",
            "reserve by",
            "redeem by",
            "bill by",
            "held",
            "findings",
        ),
        [
            (
                row["id"],
                row["state"],
                row["partner"],
                row["customer"],
                row["days"],
                *(row["deadlines"].get(name) for name in ("reserve", "redeem", "bill")),
                held_words(row["hold"]) or None,
                row["findings"],
            )
            for row in rows
        ],
        "No vouchers yet. Forward one to the desk's mailbox, or `voucherd ingest FILE`.",
    )
    return ExitStatus.DONE


@click.command()
@click.argument("voucher")
@json_option
@pass_context
def show(context: Context, voucher: str, as_json: bool) -> int:
    """One voucher: its facts, its deadlines with the reason for each date, its history."""
    from voucherd.service import inspect
    from voucherd.service.by_hand import known

    app, now = context.app, context.reading_now
    with app.store.read() as tx:
        shown = inspect.show_json(tx, app.rules, known(tx, voucher), now)
    if shown is None:
        raise OperatorError(f"voucher {voucher} was not known at {now.isoformat(timespec='minutes')}")
    if as_json:
        print_json(shown)
    else:
        page(shown, context)
    return ExitStatus.DONE


_FACTS = (
    ("customer", "customer"),
    ("administrator", "customer_admin"),
    ("offering", "offering"),
    ("days", "days"),
    ("country", "country"),
    ("assigned on", "assigned_on"),
    ("expires on", "expires_on"),
    ("engagement on", "engagement_on"),
    ("reserved on", "reserved_on"),
    ("delivered on", "delivered_on"),
    ("redeemed on", "redeemed_on"),
    ("billed on", "billed_on"),
    ("paid on", "paid_on"),
)

# what an operator's word or a new date changed is said with the event
_CHANGING = ("extended", "corrected", "engagement-changed")
_EVIDENCE = ("partner", "read_from", "sha256")


def page(shown: dict[str, Any], context: Context) -> None:
    """A voucher for people; what was recorded when stands in the desk's time."""
    click.echo(plain(f"Voucher {shown['id']} ({shown['programme']}): {shown['state']}"))
    reservation = shown["reservation"]
    if reservation:
        missing = f", still missing: {plain(reservation['incomplete'])}" if reservation["incomplete"] else ""
        click.echo(
            plain(f"  partner        {reservation['partner']}, reservation {reservation['status']}{missing}")
        )
    for label, name in _FACTS:
        if shown[name] is not None:
            click.echo(plain(f"  {label:<14} {shown[name]}"))
    if shown["hold"]:
        click.echo(plain(f"  held           {held_words(shown['hold'])}"))
    for finding in shown["findings"]:
        click.echo(plain(f"  finding        {finding}"))
    click.echo("Deadlines")
    for deadline in shown["deadlines"]:
        fate = f"met on {deadline['met_on']}" if deadline["met_on"] else "open"
        fate = f"missed, {fate}" if deadline["missed"] and deadline["met_on"] else fate
        fate = "missed" if deadline["missed"] and not deadline["met_on"] else fate
        click.echo(plain(f"  {deadline['name']:<8} by {deadline['on']}, {fate}"))
        click.echo(plain(f"           because: {deadline['because']}"))
    click.echo("History")
    for entry in shown["history"]:
        recorded = context.at_desk(entry["recorded_at"])
        click.echo(plain(f"  {entry['on']}  {entry['event']}, recorded {recorded} by {entry['by']}"))
        if entry["message_id"]:
            click.echo(plain(f"              message {entry['message_id']}"))
        for name, value in entry["detail"].items():
            if name in ("note", "conflict", "until") or (
                entry["event"] in _CHANGING and name not in _EVIDENCE
            ):
                click.echo(plain(f"              {name}: {value}"))


@click.command()
@click.argument("voucher")
@click.argument("event")
@click.option("--on", required=True, metavar="DATE", help="The day it happened (YYYY-MM-DD).")
@click.option("--note", default="", help="Why, for the history.")
@click.option("--partner", help="The partner it concerns.")
@click.option("--programme", help="The programme of a voucher not seen before.")
@click.option("--customer", help="The customer's name.")
@click.option("--customer-admin", help="The address of the customer's voucher administrator.")
@click.option("--offering", help="The offering's code.")
@click.option("--days", type=click.IntRange(1, 999), help="The length in days.")
@click.option("--country", help="The country of delivery (ISO 3166).")
@click.option("--assigned-on", metavar="DATE", help="The day of assignment.")
@click.option("--created-on", metavar="DATE", help="The day of creation.")
@click.option("--expires-on", metavar="DATE", help="The stated expiry.")
@click.option("--engagement-on", metavar="DATE", help="The start of the engagement.")
@json_option
@pass_context
def record(
    context: Context,
    /,
    voucher: str,
    event: str,
    on: str,
    note: str,
    partner: str | None,
    programme: str | None,
    as_json: bool,
    **facts: str | int | None,
) -> int:
    """Records a fact by hand: reserved, delivered, redeemed, revoked, reservation-cancelled, paid, …"""
    from voucherd.domain.events import EventKind
    from voucherd.service import inspect
    from voucherd.service.by_hand import RECORDABLE, record_fact
    from voucherd.service.inspect_holds import held_by

    names = [kind.value for kind in RECORDABLE]
    if event not in names:
        raise OperatorError(f"{event} is no event", remedy=f"known are {', '.join(names)}")
    told = {name: _fact(name, value) for name, value in facts.items() if value is not None}
    app, now = context.app, context.writing_now()
    done = record_fact(
        app.store,
        app.rules,
        voucher=voucher,
        kind=EventKind(event),
        on=_date("--on", on),
        now=now,
        by=context.operator,
        partner=partner,
        programme=programme,
        facts=told,
        note=note,
    )
    with app.store.read() as tx:
        at = max(now, done.recorded_at)
        shown = inspect.voucher_json(done.standing, at, held_by(tx, app.rules, done.standing, at))
    if as_json:
        print_json({**shown, "review": list(done.reviews)})
    else:
        new = " (not seen before: a record was opened)" if done.opened else ""
        click.echo(plain(f"{shown['id']}: {event} on {on} recorded{new}; it is {shown['state']} now"))
        for number in done.reviews:
            click.echo(f"It contradicts what stands: `voucherd review show {number}`")
    return ExitStatus.LOOK if done.reviews else ExitStatus.DONE


def _date(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise OperatorError(
            f"{text} is not a date", where=option, remedy="write it like 2021-11-05"
        ) from None


def _fact(name: str, value: str | int) -> str:
    """The normal form of a fact given by hand."""
    if name.endswith("_on"):
        return _date(f"--{name.replace('_', '-')}", str(value)).isoformat()
    return str(value).strip()
