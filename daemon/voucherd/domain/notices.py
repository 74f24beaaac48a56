"""Notices: mails that say that a voucher was reserved, cancelled, revoked, redeemed or paid (DOMAIN.md, What the mails
look like). What they state is read here, and whether the sender may say it of the voucher is decided here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from voucherd.domain.authority import may_report
from voucherd.domain.events import FACTS, EventKind, Role
from voucherd.domain.identifiers import voucher_key
from voucherd.domain.message import Candidate, Reading
from voucherd.domain.partner import Partner
from voucherd.domain.recognition import VoucherFacts
from voucherd.domain.reconciliation.amounts import format_amount
from voucherd.domain.reconciliation.written_amounts import read_money
from voucherd.domain.remitted import NO_DATE
from voucherd.domain.rulebook import Rulebook
from voucherd.domain.voucher import Voucher

NOTICES: Mapping[str, EventKind] = {
    "reserved": EventKind.RESERVED,
    "reservation-cancelled": EventKind.RESERVATION_CANCELLED,
    "revoked": EventKind.REVOKED,
    "redeemed": EventKind.REDEEMED,
    "payment": EventKind.PAID,
    "payment-denied": EventKind.PAYMENT_DENIED,
}
"""The kinds of mail that are notices, with the event that each reports."""
_STATED_AS = {
    EventKind.RESERVED: "reserved_on",
    EventKind.RESERVATION_CANCELLED: "revoked_on",  # both are "Cancelled on"
    EventKind.REVOKED: "revoked_on",
    EventKind.REDEEMED: "redeemed_on",
    EventKind.PAID: "paid_on",
    EventKind.PAYMENT_DENIED: "paid_on",
}
_PAID_AMOUNT = "paid_amount"
_NAME = re.compile(r"[^\W_]+")
_LONGEST_NAME = 200
_LEGAL_FORMS = frozenset(
    (
        *(
            "inc",
            "corp",
            "corporation",
            "co",
            "company",
            "ltd",
            "limited",
            "llc",
            "llp",
            "plc",
            "gmbh",
            "ag",
            "kg",
        ),
        *(
            "mbh",
            "ug",
            "se",
            "sa",
            "sas",
            "sarl",
            "srl",
            "sl",
            "spa",
            "bv",
            "nv",
            "ab",
            "as",
            "oy",
            "kk",
            "pty",
        ),
        *("ltda", "sro", "주식회사", "유한회사", "주", "株式会社", "有限会社", "有限公司", "股份有限公司"),
    )
)
_PAYMENT = frozenset((EventKind.PAID, EventKind.PAYMENT_DENIED))


@dataclass(frozen=True, slots=True)
class Notice:
    """What a notice says of one voucher. `named` is the partner as it names one (empty: it names none),
    `by_programme` says that the words are the programme's own; `problem` why they read more than one way."""

    kind: EventKind
    programme: str
    voucher: str
    key: str
    on: date
    facts: Mapping[str, str]
    spans: Mapping[str, str]
    named: str = ""
    by_programme: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Ruling:
    """What is to be done with a notice: an event of `partner`, or a review entry with `code` and `reason`."""

    partner: str | None = None
    code: str = ""
    reason: str = ""


def notices_of(
    reading: Reading, found: tuple[VoucherFacts, ...], rules: Rulebook, handed_in: date
) -> tuple[Notice, ...]:
    """What a notice says, voucher by voucher; `handed_in` is the day of the mail itself."""
    kind = NOTICES[reading.kind]
    sources = [reading.original.from_addr] if reading.original is not None else []
    sources += [one.addr for one in reading.mail.from_] if reading.original is None else []
    own = any(one is not None and rules.is_programme_domain(one.rpartition("@")[2]) for one in sources)
    general = _problems(reading, found)
    return tuple(
        _notice(reading, kind, one, general, own, _own_day(reading, rules, handed_in)) for one in found
    )


def ruling(
    notice: Notice, role: Role, sender: str, speaks_for: Partner | None, voucher: Voucher | None,
    fallback: Partner | None, rules: Rulebook, today: date,
) -> Ruling:  # fmt: skip
    """Whether a sender may say this of the voucher (None: not seen before), by RULES.md, Who may say what.

    `speaks_for` is the sender's own partner, `fallback` whom the mail is about where nothing else tells.
    """
    shown, what = notice.voucher, notice.kind.value.replace("-", " ")
    named = _named(notice.named, rules)
    entitled = may_report(notice.kind, role, speaks_for, sender, voucher)
    if role is Role.PARTNER and speaks_for is not None:
        entitled = (
            entitled and named in (None, speaks_for) and (notice.by_programme or notice.kind not in _PAYMENT)
        )
    if not entitled and voucher is None:
        return Ruling(
            None, "unknown-voucher", f"{shown} is not known, and {sender} may not report it as {what}"
        )
    if not entitled:
        return Ruling(None, "not-entitled", f"{sender}, as {role}, may not report {shown} as {what}")
    if notice.problem:
        return Ruling(None, "ambiguous", f"{shown}: {notice.problem}")
    if notice.on > today:
        return Ruling(None, "ambiguous", f"{shown} is dated in the future: {what} on {notice.on}")
    if notice.named and named is None:
        return Ruling(None, "which-partner", f'{shown}: "{notice.named[:80]}" is no partner of this desk')
    holder = voucher.partner if voucher is not None else None
    partner = (
        named.id if named else speaks_for.id if speaks_for else holder or (fallback.id if fallback else None)
    )
    if partner is None and (voucher is None or notice.kind is EventKind.RESERVED):
        return Ruling(None, "which-partner", f"which partner? The notice that {shown} was {what} names none")
    return Ruling(partner)


def _notice(
    reading: Reading,
    kind: EventKind,
    found: VoucherFacts,
    general: str,
    by_programme: bool,
    day: tuple[date, str],
) -> Notice:
    doubts = [
        f'{fact.replace("_", " ")} "{said[0].text[:80]}" can be read as '
        + " or ".join(sorted({one.value for one in said}))
        for fact, said in found.ambiguous.items()
    ]
    facts = {
        name: one.value for name, one in found.facts.items() if name in FACTS and name != "customer_admin"
    }
    spans = {name: span(one) for name, one in found.facts.items() if name in facts or name == "voucher_id"}
    stated = found.facts.get(_STATED_AS[kind])
    on, where = (date.fromisoformat(stated.value), span(stated)) if stated is not None else day
    spans["on"] = where
    paid, doubt = _paid(kind, found)
    facts |= paid
    spans |= {"amount": span(found.facts[_PAID_AMOUNT])} if paid else {}
    doubts += [doubt] if doubt else []
    named = found.facts.get("partner")
    return Notice(
        kind=kind,
        programme=reading.programme,
        voucher=found.voucher_id,
        key=voucher_key(found.voucher_id),
        on=on,
        facts=facts,
        spans=spans,
        named=named.value if named is not None else "",
        by_programme=by_programme,
        problem="; ".join([*doubts, general] if general else doubts),
    )


def _paid(kind: EventKind, found: VoucherFacts) -> tuple[dict[str, str], str]:
    """The amount that a notice of a payment states, as an event takes it, or the doubt that it leaves. What was denied
    moved no money."""
    stated = found.facts.get(_PAID_AMOUNT)
    if stated is None or kind is not EventKind.PAID:
        return {}, ""
    try:
        amount, currency = read_money(stated.value)
    except ValueError as error:
        return {}, f"paid amount {error}"
    return {"amount": format_amount(amount, currency), "currency": currency}, ""


def _problems(reading: Reading, found: tuple[VoucherFacts, ...]) -> str:
    """The doubts that concern the whole mail: those that are no two readings of one voucher's date."""
    own = {
        f'{fact.replace("_", " ")} "{one.text[:80]}" can be read as'
        for facts in found
        for fact, said in facts.ambiguous.items()
        for one in said
    }
    return "; ".join(one for one in reading.problems if not any(one.startswith(start) for start in own))


def _own_day(reading: Reading, rules: Rulebook, handed_in: date) -> tuple[date, str]:
    """Without a stated date the notice's own counts (it is sent at once), and the span says so."""
    original = reading.original
    if original is not None and original.date is not None:
        moment = original.date.astimezone(rules.desk.zone) if original.date.tzinfo else original.date
        return moment.date(), f"{NO_DATE}: the date of the notice, {original.date_raw}"
    return handed_in, f"{NO_DATE}: the date of the mail"


def _named(text: str, rules: Rulebook) -> Partner | None:
    wanted = _bare(text)
    found = [one for one in rules.partners.values() if wanted in (_bare(one.name), one.id.casefold())]
    return found[0] if len(found) == 1 and wanted else None


def _bare(name: str) -> str:
    """A firm's name as names are compared: lower case, without its legal form and what is no letter or digit."""
    words = _NAME.findall(unicodedata.normalize("NFKC", name[:_LONGEST_NAME]).casefold().replace(".", ""))
    return " ".join(word for word in words if word not in _LEGAL_FORMS)


def span(candidate: Candidate) -> str:
    """Where a fact was read, in words."""
    where = f"{candidate.part} {candidate.start}-{candidate.end}" if candidate.start >= 0 else candidate.part
    return f"{candidate.text} ({where}, {candidate.rule})"
