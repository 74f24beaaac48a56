"""A person's correction over what a message says: the partner, the voucher's ID, facts by name.

What the message does state stays: an operator adds only what is missing or wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from voucherd.domain.events import FACTS
from voucherd.domain.handling import HandIn, Handling, customer_admin, which_partner
from voucherd.domain.identifiers import voucher_key
from voucherd.domain.message import Reading
from voucherd.domain.partner import Partner
from voucherd.domain.questions import Question, completed
from voucherd.domain.recognition import VoucherFacts, vouchers_of
from voucherd.domain.rulebook import Rulebook
from voucherd.domain.voucher_labels import VOUCHER_ID
from voucherd.errors import OperatorError
from voucherd.service.by_hand import checked_facts, checked_id
from voucherd.service.handin import Decided
from voucherd.service.named import named_partner


@dataclass(frozen=True, slots=True)
class Correction:
    """What a person adds to a message before it is recorded: the partner, the voucher's ID, facts by name."""

    partner: str | None = None
    voucher: str | None = None
    facts: Mapping[str, str] | None = None


def corrected(decided: Decided, correction: Correction, rules: Rulebook, now: datetime) -> Decided:
    """The decision with a person's correction over it; as it was where even so nothing can be recorded."""
    if correction == Correction():
        return decided
    handling = decided.handling
    partner = _partner(decided, correction, rules)
    hand_ins = _hand_ins(decided, correction, rules, now)
    if partner is None or not hand_ins:
        return decided
    settled = replace(
        handling,
        outcome="recorded",
        code="",
        kind="assigned",
        partner=partner,
        hand_ins=hand_ins,
        handed_in_on=handling.handed_in_on or now.astimezone(rules.desk.zone).date(),
        reason="as corrected by an operator",
    )
    return replace(decided, handling=settled)


def _partner(decided: Decided, correction: Correction, rules: Rulebook) -> Partner | None:
    if correction.partner is not None:
        return named_partner(rules, correction.partner)
    handling = decided.handling
    if handling.partner is None and isinstance(decided.reading, Reading):
        return which_partner(decided.reading, handling.sender, rules)
    return handling.partner or (next(iter(rules.partners.values())) if len(rules.partners) == 1 else None)


def _hand_ins(decided: Decided, correction: Correction, rules: Rulebook, now: datetime) -> tuple[HandIn, ...]:
    told = checked_facts(correction.facts or {})
    found = _found(decided, correction, rules)
    if correction.voucher is not None:
        shown = checked_id(correction.voucher)
        known = (
            found[0] if len(found) == 1 else HandIn(next(iter(rules.programmes)), shown, "", date.min, {}, {})
        )
        found = [replace(known, voucher=shown, key=voucher_key(shown))]
    today = now.astimezone(rules.desk.zone).date()
    made = []
    for one in found:
        facts = {**one.facts, **told}
        stated = date.fromisoformat(facts["assigned_on"]) if "assigned_on" in facts else None
        assigned = stated or (one.assigned_on if one.assigned_on > date.min else today)
        if assigned > today:
            raise OperatorError(
                f"{one.voucher}: assigned on {assigned} is in the future", remedy=f"today is {today}"
            )
        spans = {name: text for name, text in one.spans.items() if name not in told}
        made.append(replace(one, facts=facts, assigned_on=assigned, spans=spans))
    return tuple(made)


def _found(decided: Decided, correction: Correction, rules: Rulebook) -> list[HandIn]:
    """What the message hands in by itself, as far as it says it in one way."""
    handling, reading = decided.handling, decided.reading
    if handling.hand_ins or not isinstance(reading, Reading):
        return list(handling.hand_ins)
    if correction.voucher is not None and not vouchers_of(reading):
        reading = completed(reading, Question(VOUCHER_ID), checked_id(correction.voucher))
    return [_hand_in(reading, facts, handling, rules) for facts in vouchers_of(reading)]


def _hand_in(reading: Reading, facts: VoucherFacts, handling: Handling, rules: Rulebook) -> HandIn:
    values = {
        name: one.value for name, one in facts.facts.items() if name in FACTS and name != "customer_admin"
    }
    admin = customer_admin(reading, handling.sender, rules)
    if admin is not None:
        values["customer_admin"] = admin[0]
    original = reading.original
    sent = original.date if original is not None else None
    if sent is not None:
        sent = sent.astimezone(rules.desk.zone) if sent.tzinfo else sent
    programme = reading.programme or next(iter(rules.programmes))
    key = voucher_key(facts.voucher_id)
    return HandIn(programme, facts.voucher_id, key, sent.date() if sent else date.min, values, {})
