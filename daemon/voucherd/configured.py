"""What the configuration says, as values: the rules, the fingerprints that tell one set of rules from another, and
where mail and its texts lie. Nothing is opened here but the file of rates that the configuration names."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from voucherd.domain.reconciliation.rates import RateTable
from voucherd.domain.reconciliation.tolerance import tolerance_of
from voucherd.domain.reminder_tables import REMINDED
from voucherd.domain.rulebook import Desk, Rulebook
from voucherd.domain.steps import ReminderPolicy
from voucherd.resources import shipped
from voucherd.settings.reminder_tables import closed_by, rules_of

if TYPE_CHECKING:  # the way in is loaded by what reads mail alone
    from voucherd.domain.handling import Gate
    from voucherd.service.intake import Folders
    from voucherd.settings import Settings
    from voucherd.settings import sections as tables


def rulebook(settings: Settings) -> Rulebook:
    """The configuration as the rules see it."""
    desk, reminders = settings.desk, settings.reminders
    tolerance = settings.reconciliation
    return Rulebook(
        desk=Desk(
            desk.address,
            desk.addr,
            tuple(desk.operators),
            ZoneInfo(desk.timezone),
            desk.locale,
            desk.plus_addressing,
        ),
        programmes={programme.id: programme for programme in settings.programmes},
        partners={partner.id: partner for partner in settings.partners},
        reminders=ReminderPolicy(
            send_at=reminders.send_at,
            business_days_only=reminders.business_days_only,
            digest=reminders.digest,
            escalate_at=reminders.escalate_at,
            steps={name: reminders.steps(name) for name in REMINDED},
            by_value=rules_of(reminders.by_value, str(settings.path), "reminders"),
            closed=closed_by(reminders.closed_days, "the desk"),
            sources=settings.reminder_sources,
        ),
        tolerance=tolerance_of(str(tolerance.tolerance_amount), str(tolerance.tolerance_percent)),
        verdicts=tolerance.verdicts,
        rates=_rates(settings),
    )


def _rates(settings: Settings) -> RateTable:
    path = settings.reconciliation.rates
    if path is None or not path.is_file():
        return RateTable()
    from voucherd.adapters.invoicefile.rate_table import read_rates

    return read_rates(path.read_bytes(), str(path))


def template_folders(settings: Settings | None) -> list[Path]:
    """Where the mails' texts are read: the operator's folder, where there is one, over the shipped one."""
    own = settings.desk.templates if settings else None
    return [*([own] if own and own.is_dir() else []), shipped("templates")]


def judged_by(rules: Rulebook) -> str:
    """Tells one set of rules from another, for reconciliation: a change judges everything again."""
    parts = (rules.programmes, rules.partners, rules.desk.zone.key, rules.tolerance, rules.rates.rows())
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def gate_of(mailbox: tables.Mailbox) -> Gate:
    """The rules of one mailbox."""
    from voucherd.domain.handling import Gate

    return Gate(
        name=mailbox.name,
        authserv_id=mailbox.authserv_id,
        accept=tuple(mailbox.accept),
        arc_sealers=mailbox.arc_sealers,
        require_authentication=mailbox.require_authentication,
        leave_unrecognised=mailbox.unrecognised == "leave",
    )


def folders_of(mailbox: tables.Mailbox) -> Folders:
    """Where one mailbox's mail goes."""
    from voucherd.service.intake import Folders

    return Folders(mailbox.processed, mailbox.review, mailbox.max_message_bytes)
