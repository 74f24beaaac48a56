"""Holding: what a person does to let reminders wait, and to let them go on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from difflib import get_close_matches

from voucherd.domain.events import Role
from voucherd.domain.holds import Hold, Holds, Scope
from voucherd.domain.identifiers import voucher_key
from voucherd.domain.rulebook import Rulebook
from voucherd.domain.standing import Standing
from voucherd.errors import OperatorError
from voucherd.service.by_hand import known
from voucherd.service.named import unknown
from voucherd.service.recording import record_instant
from voucherd.service.records import VoucherKey
from voucherd.service.store import Store, Transaction


@dataclass(frozen=True, slots=True)
class Subject:
    """What a person named to be held: the voucher's programme and normal form, a partner's id, a programme's."""

    scope: Scope
    programme: str
    key: str
    name: str


def subject_of(tx: Transaction, rules: Rulebook, name: str, scope: Scope | None = None) -> Subject:
    """What `name` stands for; OperatorError where it is nothing, or more than one thing and `scope` does not tell.

    A voucher that two programmes know is written `PROGRAMME/VOUCHER`.
    """
    found: list[Subject] = []
    if name in rules.partners:
        found.append(Subject(Scope.PARTNER, "", name, name))
    if name in rules.programmes:
        found.append(Subject(Scope.PROGRAMME, "", name, name))
    if scope in (None, Scope.VOUCHER) and (not found or scope is Scope.VOUCHER or _vouchers(tx, name)):
        found.extend(_vouchers(tx, name))
        if not found:
            _refuse(tx, rules, name, scope)
    if scope is not None:
        found = [one for one in found if one.scope is scope]
    if not found:
        raise unknown(str(scope), name, rules.partners if scope is Scope.PARTNER else rules.programmes)
    if len({one.scope for one in found}) > 1:
        kinds = " and ".join(f"a {one}" for one in dict.fromkeys(one.scope for one in found))
        options = " or ".join(f"--{one}" for one in dict.fromkeys(one.scope for one in found))
        raise OperatorError(f"{name} is {kinds}", remedy=f"say which with {options}")
    if len(found) > 1:
        ways = " or ".join(f"{one.programme}/{one.name}" for one in found)
        raise OperatorError(f"voucher {name} is known in several programmes", remedy=f"write {ways}")
    return found[0]


def _refuse(tx: Transaction, rules: Rulebook, name: str, scope: Scope | None) -> None:
    """Raises OperatorError with the nearest known ones: of vouchers, and where anything may be meant of all."""
    try:
        known(tx, name.rpartition("/")[2])
    except OperatorError as error:
        if scope is not None:
            raise
        near = get_close_matches(name, [*rules.partners, *rules.programmes], 1)
        remedy = f"did you mean {near[0]}?" if near else error.remedy
        raise OperatorError(f"{error.what}, nor a partner or programme of that name", remedy=remedy) from None


def _vouchers(tx: Transaction, name: str) -> list[Subject]:
    programme, _, text = name.rpartition("/")
    keys = [one for one in tx.ledger.named(voucher_key(text)) if programme in ("", one.programme)]
    standings = tx.ledger.standings(keys)
    return [Subject(Scope.VOUCHER, key.programme, key.key, standings[key].voucher.id) for key in keys]


def hold(
    store: Store,
    rules: Rulebook,
    name: str,
    *,
    scope: Scope | None,
    until: date | None,
    why: str,
    now: datetime,
    by: str,
) -> Hold:
    """Lets reminders wait, until a day or until `release`; a later hold of the same takes the place of this one."""
    today = now.astimezone(rules.desk.zone).date()
    if until is not None and until <= today:
        remedy = f"reminders go again on that day: name one after {today}"
        raise OperatorError(f"{until} is not to come", where="--until", remedy=remedy)
    with store.write() as tx:
        instant = record_instant(tx, now)
        subject = subject_of(tx, rules, name, scope)
        [made] = tx.holds.add([_hold(subject, until, why, instant, by)])
        return made


def release(
    store: Store, rules: Rulebook, name: str, *, scope: Scope | None, why: str, now: datetime, by: str
) -> list[Hold]:
    """Ends every hold of what is named, whoever made it; returns those that were in force. OperatorError where there
    was none."""
    with store.write() as tx:
        instant = record_instant(tx, now)
        subject = subject_of(tx, rules, name, scope)
        standing = tx.holds.standing(subject.scope, subject.programme, subject.key)
        in_force = {one.id for one in tx.holds.in_force(instant).every}
        ended = [one for one in standing if one.id in in_force]
        if not ended:
            raise OperatorError(
                f"{subject.scope} {subject.name} is not held", remedy="`voucherd hold` lists what is"
            )
        tx.holds.add([released(one, instant, by, Role.OPERATOR, why) for one in standing])
        return ended


def _hold(subject: Subject, until: date | None, why: str, at: datetime, by: str) -> Hold:
    return Hold(
        scope=subject.scope,
        programme=subject.programme,
        subject=subject.key,
        name=subject.name,
        until=until,
        why=why,
        recorded_at=at,
        by=by,
        role=Role.OPERATOR,
    )


def released(one: Hold, at: datetime, by: str, role: Role, why: str = "", message: int | None = None) -> Hold:
    """The row that takes a hold back."""
    return replace(one, id=0, releases=one.id, recorded_at=at, by=by, role=role, why=why, message=message)


def hold_over(
    holds: Holds, rules: Rulebook, key: VoucherKey, standing: Standing, now: datetime
) -> Hold | None:
    """What holds a voucher now."""
    partner = standing.voucher.partner
    return holds.over(key.programme, key.key, partner, rules.clock(partner).zone, now)


def holds_now(tx: Transaction, rules: Rulebook, now: datetime) -> list[Hold]:
    """The holds in force at `now`: a partner's by the clock where it is, the others by the desk's."""
    found = []
    for one in tx.holds.in_force(now).every:
        end = one.ends_at(rules.clock(one.subject if one.scope is Scope.PARTNER else None).zone)
        if end is None or end > now:
            found.append(one)
    return found


def holds_about(tx: Transaction, rules: Rulebook, now: datetime, partner: str | None) -> list[Hold]:
    """The holds in force at `now` that keep reminders from a partner, or from anybody where none is named."""
    every = holds_now(tx, rules, now)
    if partner is None:
        return every
    keys = {one.id: VoucherKey(one.programme, one.subject) for one in every if one.scope is Scope.VOUCHER}
    standings = tx.ledger.standings(list(keys.values()))
    own = {
        number
        for number, key in keys.items()
        if key in standings and standings[key].voucher.partner == partner
    }
    return [
        one
        for one in every
        if one.id in own
        or one.scope is Scope.PROGRAMME
        or (one.scope is Scope.PARTNER and one.subject == partner)
    ]
