"""`voucherd outbox`: what was sent, what waits, what failed, what is in doubt; and what a person does about it."""

from __future__ import annotations

from typing import Any

import click

from voucherd.cli.context import Context, json_option, plain, print_json, print_table
from voucherd.domain.counted import many
from voucherd.errors import ExitStatus, OperatorError

_NEWEST = 100
_STATUSES = ("planned", "held", "sending", "sent", "failed", "in-doubt", "superseded", "cancelled", "bounced")


@click.group(invoke_without_command=True)
@click.option("--status", multiple=True, type=click.Choice(_STATUSES), help="Only mails in this status.")
@click.option("--partner", help="Only mails to this partner.")
@click.option("--voucher", help="Only mails about this voucher.")
@click.option(
    "--all", "every", is_flag=True, help=f"Not only what is open and the {_NEWEST} newest of the others."
)
@json_option
@click.pass_context
def outbox(
    ctx: click.Context,
    status: tuple[str, ...],
    partner: str | None,
    voucher: str | None,
    every: bool,
    as_json: bool,
) -> int | None:
    """What was sent, what waits, what failed, what is in doubt."""
    if ctx.invoked_subcommand is not None:
        return None
    from voucherd.service import inspect
    from voucherd.service.by_hand import known
    from voucherd.service.named import named_partner
    from voucherd.service.records import FINISHED, MailStatus

    context: Context = ctx.obj
    if partner is not None:
        named_partner(context.app.rules, partner)
    with context.app.store.read() as tx:
        limit, until = context.app.settings.delivery.burst_limit, context.now if context.as_of else None
        shown = None if voucher is None else tx.ledger.standings([known(tx, voucher)])
        wanted = inspect.MailsWanted(
            statuses=tuple(MailStatus(one) for one in status),
            partner=partner,
            voucher=None if shown is None else next(one.voucher.id for one in shown.values()),
            finished=None if every or as_json else _NEWEST,
        )
        rows = inspect.outbox_json(tx, limit, context.reading_now, until, wanted, context.app.composer)
    if as_json:
        print_json(rows)
        return ExitStatus.DONE
    print_table(
        ("no.", "status", "kind", "due (desk's time)", "to", "subject", "answer"),
        [
            (
                row["number"],
                row["status"],
                row["kind"],
                context.at_desk(row["due_at"]),
                [*row["to"], *row["cc"]],
                row["subject"],
                [one["error"] for one in row["recipients"] if one["error"]],
            )
            for row in rows
        ],
        "The outbox is empty." if not (status or partner or voucher) else "There is no such mail.",
    )
    if not every and sum(row["status"] in FINISHED for row in rows) == _NEWEST:
        click.echo(
            f"Of what was sent or given up, the newest {_NEWEST}: `voucherd outbox --all` shows every one."
        )
    return ExitStatus.DONE


@outbox.command()
@click.argument("number", type=int)
@click.option("--eml", is_flag=True, help="The mail's bytes, as a mail program opens them.")
@json_option
@click.pass_obj
def show(context: Context, number: int, eml: bool, as_json: bool) -> int:
    """One mail as its recipients read it, and how each delivery stands; before it goes, as it would go now."""
    from email import message_from_bytes, policy

    from voucherd.service import inspect
    from voucherd.service.bursts import shown_as_held
    from voucherd.service.plain_letters import head_of, letter_of

    app = context.app
    with app.store.read() as tx:
        mail = tx.outbox.get(number)
        if mail is None:
            raise OperatorError(f"there is no mail {number}", remedy="`voucherd outbox` numbers them")
        deliveries = tx.outbox.deliveries([number]).get(number, [])
        held = bool(shown_as_held(tx, [mail], app.settings.delivery.burst_limit, context.reading_now))
    content = mail.content or app.composer.compose(letter_of(mail.letter), head_of(mail.head)).content
    if eml:
        click.echo(content, nl=False)
        return ExitStatus.DONE
    said: Any = message_from_bytes(content, policy=policy.default)
    body = said.get_body(("plain",))
    row = inspect.mail_json(mail, deliveries, held=held)
    row |= {"subject": str(said["Subject"]), "text": body.get_content() if body is not None else ""}
    if as_json:
        print_json(row)
        return ExitStatus.DONE
    click.echo(
        f"mail {number}: {row['kind']}, {row['status']}, due {context.at_desk(row['due_at'])} (desk's time)"
    )
    for one in row["recipients"]:
        click.echo(plain(f"  {one['address']}  {one['status']}  {one['answer'] or ''}").rstrip())
    click.echo("\n" + plain(row["subject"]) + "\n")
    click.echo("\n".join(plain(line) for line in row["text"].splitlines()))
    return ExitStatus.DONE


@outbox.command()
@click.argument("number", type=int)
@click.pass_obj
def retry(context: Context, number: int) -> int:
    """Tries a mail again that failed or is in doubt, with the same bytes."""
    from voucherd.service.outbox import retry_mail

    tried = retry_mail(context.app.store, number, context.writing_now())
    click.echo(f"mail {number} goes again to {plain(tried)} at the next pass")
    return ExitStatus.DONE


@outbox.command()
@click.argument("number", type=int)
@click.option("--why", required=True, help="The reason, kept with the mail.")
@click.pass_obj
def drop(context: Context, number: int, why: str) -> int:
    """Gives a mail up: it is not sent (again)."""
    from voucherd.service.outbox import drop_mail

    drop_mail(context.app.store, number, f"dropped by {context.operator}: {why}")
    click.echo(f"mail {number} is cancelled")
    return ExitStatus.DONE


@outbox.command("release")
@click.argument("numbers", type=int, nargs=-1, metavar="[NUMBER…]")
@click.pass_obj
def release_held(context: Context, numbers: tuple[int, ...]) -> int:
    """Lets mails go that wait for a person's look, all of them without a number."""
    from voucherd.service.outbox import release_mails

    released = release_mails(context.app.store, numbers, context.writing_now())
    click.echo(f"{many(len(released), 'mail goes', 'mails go')} at the next pass")
    return ExitStatus.DONE


@outbox.command()
@click.argument("address")
@click.option("--why", required=True, help="The reason, kept with the address.")
@click.pass_obj
def unsuppress(context: Context, address: str, why: str) -> int:
    """Lets mail go again to an address that it came back from."""
    from voucherd.service.outbox import unsuppress as lift

    waited = lift(context.app.store, address, why, context.operator, context.writing_now())
    click.echo(
        f"mail goes to {plain(address)} again"
        + (f"; {waited} that waited for it go at the next pass" if waited else "")
    )
    return ExitStatus.DONE


@outbox.command("release-burst")
@click.pass_obj
def release_burst(context: Context) -> int:
    """Lets the mails go that wait because more than `burst_limit` became due at once."""
    from voucherd.service.releasing import release_burst as let_go

    app = context.app
    done = let_go(app.store, app.rules, app.token_key, context.writing_now())
    together = (
        f"; {many(done.together, 'mail that waited', 'mails that waited')} since earlier days told anew"
        if done.together
        else ""
    )
    click.echo(f"{many(done.deliveries, 'mail goes', 'mails go')} at the next pass{together}")
    return ExitStatus.DONE


@outbox.command("release-restored")
@click.option(
    "--sent-until",
    metavar="INSTANT",
    help="What was due up to then was sent before the restore: it does not go.",
)
@click.option("--resend", is_flag=True, help="Everything goes that the backup does not know as sent.")
@json_option
@click.pass_obj
def release_restored(context: Context, sent_until: str | None, resend: bool, as_json: bool) -> int:
    """Lets mail go again after `db restore`.

    The store does not know what was sent after its backup was taken. INSTANT is when the old daemon sent its last
    mail, as the log or the Sent folder says.
    """
    if (sent_until is None) is not resend:
        raise OperatorError(
            "what was sent after the backup?",
            remedy="name --sent-until INSTANT, or --resend to send it (again)",
        )
    from voucherd.cli.clock import instant_of
    from voucherd.service.restored import release as let_go

    app = context.app
    until = instant_of(sent_until, app.rules.desk.zone, "--sent-until") if sent_until is not None else None
    done = let_go(app.store, app.rules, until, context.operator, context.writing_now())
    if as_json:
        print_json({"mails": done.mails, "steps": done.steps, "left": done.left})
        return ExitStatus.DONE
    if sent_until is not None:
        click.echo(
            f"{many(done.mails, 'mail', 'mails')} and {many(done.steps, 'reminder step', 'reminder steps')} "
            "count as sent"
        )
    click.echo(f"mail goes again; {many(done.left, 'delivery is', 'deliveries are')} due at the next pass")
    return ExitStatus.DONE
