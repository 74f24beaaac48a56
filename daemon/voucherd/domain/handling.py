"""What is to be done with one message: recorded, ignored or put before a person, each with the reason.

Pure: `read` prints what this module decides, the daemon acts on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from voucherd.domain.addressed import addressed_to
from voucherd.domain.admin_answers import is_customer
from voucherd.domain.answering import Reply, reply_of, ties
from voucherd.domain.authentication import authenticate
from voucherd.domain.authority import EXPORT, INVOICE, role_of
from voucherd.domain.automatic import automatic
from voucherd.domain.bounces import Report, report_of
from voucherd.domain.counted import many
from voucherd.domain.envelope_token import BOUNCE, tokens_in
from voucherd.domain.events import FACTS, Role
from voucherd.domain.identifiers import voucher_key
from voucherd.domain.message import Address, Attachment, Reading, Unreadable
from voucherd.domain.notices import NOTICES, Notice, notices_of, span
from voucherd.domain.partner import Partner
from voucherd.domain.recognition import VoucherFacts, vouchers_of
from voucherd.domain.rulebook import Rulebook
from voucherd.domain.sheets import Export

LEFT = "left untouched"  # the reason of a message that stays where it is (`unrecognised = "leave"`)
_OFFICIAL_FILES = "files of the programme: what was paid is taken in, an invoice is not"
# what programmes, forwarding rules and invoicing systems set on mails that do carry something: never answered
_MAY_CARRY = (
    *("auto-submitted: auto-generated", "auto-submitted: auto-forwarded", "precedence: ", "list-"),
    "our envelope sender",
)


@dataclass(frozen=True, slots=True)
class Gate:
    """The rules of the place that a message came from (CONTRACT.md, `[[mailboxes]]`).

    `by_hand` is an operator's `ingest`: authenticated as operator, whatever the message says.
    """

    name: str
    authserv_id: str | None = None
    accept: tuple[str, ...] = ("dmarc",)
    arc_sealers: tuple[str, ...] = ()
    require_authentication: bool = True
    leave_unrecognised: bool = False
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class Sender:
    """Who handed a message in, as far as it is known. `address` is set where somebody authenticated stands
    behind it; `why` is the evidence, or what was missing."""

    address: str
    name: str
    authenticated: bool
    role: Role
    partner: Partner | None
    why: str


@dataclass(frozen=True, slots=True)
class HandIn:
    """One voucher that a message hands in: normal form of the ID, its facts as an event takes them."""

    programme: str
    voucher: str
    key: str
    assigned_on: date
    facts: Mapping[str, str]
    spans: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Handling:
    """The decision. `outcome` is recorded, ignored or review; `code` a review code, empty elsewhere.
    `answerable` says that a person wrote it, whom a receipt may reach (PROMISES.md, P7). `report` is what a bounce
    or a complaint says of a mail of ours. `exports` are the spreadsheets whose rows are recorded; `note` stands
    beside each event. Whether `notices` and `reply` may count is decided where the ledger and the outbox are at
    hand: until then they are `recorded`."""

    outcome: str
    reason: str
    sender: Sender
    code: str = ""
    kind: str = "other"
    partner: Partner | None = None
    hand_ins: tuple[HandIn, ...] = ()
    invoices: tuple[Attachment, ...] = ()
    handed_in_on: date | None = None
    suggestions: tuple[str, ...] = field(default=())
    answerable: bool = False
    report: Report | None = None
    exports: tuple[Export, ...] = ()
    note: str = ""
    notices: tuple[Notice, ...] = ()
    reply: Reply | None = None


def handle(reading: Reading | Unreadable, gate: Gate, rules: Rulebook, now: datetime) -> Handling:
    """Decides about one message; nothing of the ledger is needed for that."""
    if isinstance(reading, Unreadable):
        nobody = Sender("", "", authenticated=False, role=Role.NOBODY, partner=None, why="not read")
        return Handling("review", reading.reason, nobody, code=reading.code, kind="unreadable")
    sender = sender_of(reading, gate, rules)
    report = report_of(reading.mail)
    if report is not None:
        return Handling("ignored", report.rule, sender, kind=report.kind.value, report=report)
    machine = "" if gate.by_hand else _machine(reading, rules)
    decided = _by_kind(reading, sender, gate, rules, now)
    voucher_mail = decided.kind == "assigned" and decided.code != "no-voucher-id"
    # an invoicing system's mail is a machine's as well; from anybody else it is just an attachment
    notice = decided.kind in NOTICES and decided.code != "no-voucher-id"
    carries = voucher_mail or notice or bool(decided.invoices or decided.exports)
    if machine and not (carries and machine.startswith(_MAY_CARRY)):
        return Handling("ignored", machine, sender, kind="automatic")
    decided = replace(decided, answerable=not machine and not gate.by_hand)
    if decided.code == "no-voucher-id" and gate.leave_unrecognised:
        return replace(decided, outcome="ignored", code="", reason=f"{LEFT}: {decided.reason}")
    return decided


def _machine(reading: Reading, rules: Rulebook) -> str:
    """The rule by which a machine wrote this mail, ours included; empty for a person's."""
    if any(address.addr == rules.desk.addr for address in reading.mail.from_):
        return "our own mail (From is the desk's address)"
    if machine := automatic(reading.mail, ""):
        return machine
    if tokens_in(addressed_to(reading.mail), rules.desk.addr, BOUNCE):
        return "our envelope sender was answered: only a machine does that"
    return ""


def sender_of(reading: Reading, gate: Gate, rules: Rulebook) -> Sender:
    """Who stands behind a message at this gate, and as whom they speak."""
    shown = reading.mail.from_[0] if len(reading.mail.from_) == 1 else Address("")
    if gate.by_hand:
        return Sender(shown.addr, shown.name, True, Role.OPERATOR, None, "handed in by an operator")
    if not gate.require_authentication:
        why = f"mailbox {gate.name} is trusted (require_authentication = false)"
        known, address = bool(shown.addr), shown.addr
        if not known:
            why = "the message does not name one sender"
    else:
        answer = authenticate(reading.mail, gate.authserv_id, gate.accept, gate.arc_sealers)
        known, address, why = answer.authenticated, shown.addr, answer.reason
        if known and (imitated := rules.imitated_by(shown.domain)):
            known, why = False, f"the From domain {shown.domain} is made to look like {imitated}"
    role, partner = role_of(address if known else None, rules)
    return Sender(address, shown.name, known, role, partner, why)


def _by_kind(reading: Reading, sender: Sender, gate: Gate, rules: Rulebook, now: datetime) -> Handling:
    found = vouchers_of(reading)
    if reading.kind == "invoice" and reading.mail.attachments:
        return _invoice(reading, sender)
    if reading.exports:
        return _export(reading, sender)
    reply = reply_of(reading, rules.desk.addr)
    if reply is not None:  # before all else: what an answer quotes may look like a voucher mail
        return _answer(reply, sender)
    if reading.kind == "assigned" and found:
        return _hand_in(reading, found, sender, rules, now)
    if reading.kind in NOTICES and found:
        return _notice(reading, found, sender, rules, now)
    code, reason = "no-voucher-id", "no voucher ID was recognised"
    if reading.mail.images_only:
        reason = "the mail holds nothing but a picture: no voucher ID can be read from it"
    if not found:
        reason = "; ".join((reason, *reading.problems[:3], *reading.mail.unread[:3]))
    if reading.kind in NOTICES:
        reason = f"a notice that a voucher was {reading.kind} names no voucher"
    elif reading.kind == "reply" and any(ties(reading.mail, rules.desk.addr)):
        code, reason = "unknown-reply", "an answer to a mail of ours that says nothing we know"
    if not sender.authenticated and not gate.leave_unrecognised:
        reason = f"{reason}; the sender is not authenticated: {sender.why}"
    return Handling("review", reason, sender, code=code, kind=reading.kind)


def _export(reading: Reading, sender: Sender) -> Handling:
    """The export of a programme's validation tool: the word of the programme or of an operator."""
    if not sender.authenticated:
        return Handling("review", sender.why, sender, code="unauthenticated", kind="export")
    if sender.role not in EXPORT:
        reason = (
            f"{sender.address} is neither the programme's nor an operator: only they may hand in an export"
        )
        return Handling("review", reason, sender, code="not-entitled", kind="export")
    rows = sum(len(one.rows) for one in reading.exports)
    names = ", ".join(one.name for one in reading.exports)
    reason = f"an export of {many(rows, 'voucher', 'vouchers')}: {names}"
    return Handling("recorded", reason, sender, kind="export", exports=reading.exports)


def _answer(reply: Reply, sender: Sender) -> Handling:
    if not sender.authenticated:
        return Handling("review", sender.why, sender, code="unauthenticated", kind="reply")
    said = "; ".join((*(one.text[:80] for one in reply.said), *reply.addresses[:5]))
    reason = f"an answer to a mail of ours: {said}"[:500]
    return Handling("recorded", reason, sender, kind="reply", partner=sender.partner, reply=reply)


def _notice(
    reading: Reading, found: tuple[VoucherFacts, ...], sender: Sender, rules: Rulebook, now: datetime
) -> Handling:
    if not sender.authenticated:
        return Handling("review", sender.why, sender, code="unauthenticated", kind=reading.kind)
    named = ", ".join(facts.voucher_id for facts in found)
    return Handling(
        "recorded",
        f"a notice of {named}: {reading.kind}",
        sender,
        kind=reading.kind,
        partner=which_partner(reading, sender, rules),
        notices=notices_of(reading, found, rules, handed_in_on(reading, rules, now)),
    )


def _invoice(reading: Reading, sender: Sender) -> Handling:
    if not sender.authenticated:
        return Handling("review", sender.why, sender, code="unauthenticated", kind="invoice")
    programme = sender.role is Role.PROGRAMME  # it may tell of payments; what its files say decides
    if sender.role not in INVOICE and not programme:
        reason = f"{sender.address} is neither a partner nor an operator: only they may hand in invoices"
        return Handling("review", reason, sender, code="not-entitled", kind="invoice")
    return Handling(
        "recorded",
        _OFFICIAL_FILES if programme else "an invoice, taken in for reconciliation",
        sender,
        kind="invoice",
        partner=sender.partner,
        invoices=reading.mail.attachments,
    )


def _hand_in(
    reading: Reading, found: tuple[VoucherFacts, ...], sender: Sender, rules: Rulebook, now: datetime
) -> Handling:
    def refuse(code: str, reason: str) -> Handling:
        return Handling("review", reason, sender, code=code, kind="assigned")

    if not sender.authenticated:
        return refuse("unauthenticated", sender.why)
    unclear = _unclear(reading, found)
    if unclear:
        return refuse("ambiguous", unclear)
    partner = which_partner(reading, sender, rules)
    if partner is None:
        return refuse("which-partner", "which partner? The mail went to no partner's alias and names none")
    day = handed_in_on(reading, rules, now)
    hand_ins = tuple(_facts(reading, facts, sender, rules, day) for facts in found)
    zones = (rules.desk.zone, ZoneInfo(partner.timezone))  # what is today there is not in the future
    today = max(now.astimezone(zone).date() for zone in zones)
    for one in hand_ins:
        if one.assigned_on > today:
            return refuse("ambiguous", f"{one.voucher} is dated in the future: assigned on {one.assigned_on}")
        if "expires_on" in one.facts and date.fromisoformat(one.facts["expires_on"]) < one.assigned_on:
            expires = one.facts["expires_on"]
            reason = f"{one.voucher} expires on {expires}, before it was assigned on {one.assigned_on}"
            return refuse("ambiguous", reason)
    named = ", ".join(one.voucher for one in hand_ins)
    return Handling(
        "recorded",
        f"voucher {named} handed in for {partner.id}",
        sender,
        kind="assigned",
        partner=partner,
        hand_ins=hand_ins,
        handed_in_on=day,
    )


def _unclear(reading: Reading, found: tuple[VoucherFacts, ...]) -> str:
    """Why the mail reads more than one way; empty where it does not."""
    if reading.problems:
        return "; ".join(reading.problems)
    for facts in found:
        for fact, candidates in facts.ambiguous.items():
            values = " or ".join(sorted({candidate.value for candidate in candidates}))
            return f'{facts.voucher_id}: {fact} "{candidates[0].text}" can be read as {values}'
    return ""


def which_partner(reading: Reading, sender: Sender, rules: Rulebook) -> Partner | None:
    """CONTRACT.md, Configuration: the alias that the mail was addressed to, the partner that the voucher mail
    names, the sender's own, or the only one there is."""
    mail = reading.mail
    addressed = addressed_to(mail)
    partners = list(rules.partners.values())
    by_alias = {p.id: p for p in partners if any(alias in addressed for alias in p.aliases)}
    if len(by_alias) == 1:
        return next(iter(by_alias.values()))
    inside = {address for hop in reading.hops for address in (*hop.to, *hop.cc)}
    named = {p.id: p for p in partners if any(p.owns_sender(address) for address in inside)}
    if not by_alias and len(named) == 1:
        return next(iter(named.values()))
    if by_alias:
        return None
    if sender.partner is not None:
        return sender.partner
    return partners[0] if len(partners) == 1 else None


def handed_in_on(reading: Reading, rules: Rulebook, now: datetime) -> date:
    """The desk's date of the mail itself; today where it shows none, or one to come."""
    moment = reading.mail.date
    if moment is None or moment.tzinfo is None or moment > now:
        moment = now
    return moment.astimezone(rules.desk.zone).date()


def _facts(reading: Reading, facts: VoucherFacts, sender: Sender, rules: Rulebook, day: date) -> HandIn:
    values = {name: candidate.value for name, candidate in facts.facts.items() if name in FACTS}
    spans = {name: span(candidate) for name, candidate in facts.facts.items()}
    admin = customer_admin(reading, sender, rules)
    values.pop("customer_admin", None)
    if admin is not None:
        values["customer_admin"], spans["customer_admin"] = admin
    if "assigned_on" in values:
        assigned = date.fromisoformat(values["assigned_on"])
    else:
        assigned, spans["assigned_on"] = _mail_date(reading, rules, day)
    return HandIn(
        programme=reading.programme,
        voucher=facts.voucher_id,
        key=voucher_key(facts.voucher_id),
        assigned_on=assigned,
        facts=values,
        spans=spans,
    )


def _mail_date(reading: Reading, rules: Rulebook, day: date) -> tuple[date, str]:
    """Without a stated date the voucher mail's own date stands for the assignment (it is sent at once)."""
    original = reading.original
    if original is not None and original.date is not None:
        moment = original.date
        local = moment.astimezone(rules.desk.zone) if moment.tzinfo else moment
        return local.date(), f"date of the voucher mail: {original.date_raw}"
    return day, "date of the mail that handed it in"


def customer_admin(reading: Reading, sender: Sender, rules: Rulebook) -> tuple[str, str] | None:
    """The voucher's administrator (RULES.md, What stands for what): the first To of the original that is neither
    the desk's, a partner's nor the programme's; else the sender, if a customer."""
    original = reading.original
    shown = original.to if original is not None else tuple(address.addr for address in reading.mail.to)
    for address in shown:
        if is_customer(address, rules):
            return address, "To of the voucher mail"
    if sender.authenticated and sender.role is Role.AUTHENTICATED and is_customer(sender.address, rules):
        return sender.address, "the sender who handed it in"
    return None
