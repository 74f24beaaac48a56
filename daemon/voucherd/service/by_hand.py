"""Facts by hand: an operator's `record`, with the same checks as any other fact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from voucherd.domain.events import FACTS, Event, EventKind, Role
from voucherd.domain.identifiers import is_id_token, shown_id, voucher_key
from voucherd.domain.rulebook import Rulebook
from voucherd.domain.standing import Standing
from voucherd.errors import OperatorError
from voucherd.service.awaited_payments import take_up
from voucherd.service.named import named_partner, named_programme
from voucherd.service.recording import record, record_instant
from voucherd.service.records import VoucherKey
from voucherd.service.store import Store, Transaction

_LONGEST = 99  # days of a voucher, as mails are read
_BY_MAIL_OR_REVIEW = (
    EventKind.DECIDED,
    EventKind.BILLING_CLAIMED,
    EventKind.ADMINISTRATOR_NAMED,
    EventKind.PART_PAID,
    EventKind.PAID_IN_FULL,
)
RECORDABLE = tuple(kind for kind in EventKind if kind not in _BY_MAIL_OR_REVIEW)


@dataclass(frozen=True, slots=True)
class RecordedFact:
    """What `record` did: the voucher as it stands now, the review entries that were opened because the fact
    contradicts another, whether the voucher was new, and the instant it was recorded at."""

    standing: Standing
    reviews: tuple[int, ...]
    opened: bool
    recorded_at: datetime


def find(tx: Transaction, text: str, programme: str | None = None) -> VoucherKey | None:
    """The voucher that an operator names; None for one not seen before, OperatorError where two programmes know
    it."""
    found = tx.ledger.named(voucher_key(text))
    if programme is not None:
        found = [key for key in found if key.programme == programme]
    if len(found) > 1:
        names = ", ".join(key.programme for key in found)
        raise OperatorError(f"voucher {text} is known in {names}", remedy="name one with --programme")
    return found[0] if found else None


def known(tx: Transaction, text: str) -> VoucherKey:
    """The voucher that an operator names; OperatorError with the nearest known ones where there is none."""
    key = find(tx, text)
    if key is not None:
        return key
    wanted = voucher_key(text)
    near = tx.ledger.standings(tx.ledger.similar(wanted[:5], wanted[-5:], 5)) if wanted else {}
    ids = ", ".join(standing.voucher.id for standing in near.values())
    remedy = f"similar ones are {ids}" if ids else "`voucherd vouchers` lists what is known"
    raise OperatorError(f"there is no voucher {text}", remedy=remedy)


def record_fact(
    store: Store,
    rules: Rulebook,
    *,
    voucher: str,
    kind: EventKind,
    on: date,
    now: datetime,
    by: str,
    partner: str | None = None,
    programme: str | None = None,
    facts: Mapping[str, str] | None = None,
    note: str = "",
) -> RecordedFact:
    """Records one fact about a voucher; one not seen before opens its record (RULES.md, Events)."""
    today = now.astimezone(rules.desk.zone).date()
    if on > today:
        raise OperatorError(f"{on} is in the future", where="--on", remedy=f"today is {today}")
    if kind is EventKind.DECIDED:
        raise OperatorError("a decision is recorded by `voucherd review`")
    if partner is not None:
        named_partner(rules, partner)
    told = checked_facts({name: value for name, value in (facts or {}).items() if value})
    with store.write() as tx:
        instant = record_instant(tx, now)
        key = find(tx, voucher, programme)
        opened = key is None
        if key is None:
            key = VoucherKey(_programme(programme, rules), voucher_key(checked_id(voucher)))
        event = Event(
            id=0,
            programme=key.programme,
            voucher=shown_id(voucher),
            kind=kind,
            on=on,
            recorded_at=instant,
            by=by,
            role=Role.OPERATOR,
            partner=partner or (_only_partner(rules) if opened else None),
            facts=told,
            note=note,
        )
        done = record(tx, rules, [(key, event)], instant)
        take_up(tx, rules, instant)
        own = {event.id for event in done.events}
        reviews = tuple(number for event, number in done.contradictions.items() if event in own)
        return RecordedFact(done.standings[key], reviews, opened, instant)


def checked_facts(facts: Mapping[str, str]) -> dict[str, str]:
    """Facts that an operator states, in their normal form; OperatorError for one that cannot be meant."""
    unknown = sorted(set(facts) - set(FACTS))
    if unknown:
        raise OperatorError(f"{unknown[0]} is not a fact", remedy=f"known are {', '.join(FACTS)}")
    return {name: _checked(name, value.strip()) for name, value in facts.items()}


def _checked(name: str, value: str) -> str:
    if name == "days":
        if not (value.isascii() and value.isdigit() and 1 <= len(value) <= 3 and 1 <= int(value) <= _LONGEST):
            remedy = f"write a number from 1 to {_LONGEST}"
            raise OperatorError(f'days "{value[:80]}" is no number of days', remedy=remedy)
        return str(int(value))
    if not name.endswith("_on"):
        return value
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        raise OperatorError(f'{name} "{value[:80]}" is no date', remedy="write 2021-11-15") from None


def _only_partner(rules: Rulebook) -> str | None:
    return next(iter(rules.partners)) if len(rules.partners) == 1 else None


def _programme(named: str | None, rules: Rulebook) -> str:
    if named is not None:
        return named_programme(rules, named).id
    if len(rules.programmes) > 1:
        remedy = f"name one of {', '.join(rules.programmes)} with --programme"
        raise OperatorError("the voucher is not known, and there are several programmes", remedy=remedy)
    return next(iter(rules.programmes))


def checked_id(text: str) -> str:
    """The ID that an operator gives to a new voucher, as it is shown; OperatorError for what cannot be one."""
    shown = shown_id(text)
    if not is_id_token(shown):
        raise OperatorError(
            f"{text} cannot be a voucher ID",
            remedy="an ID has 6 to 32 letters, digits and hyphens, one digit at least",
        )
    return shown
