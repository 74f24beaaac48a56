"""The closed set of names that a template may use, filled from a letter.

Everything here is text in the letter's language already, so a template only puts it in its place. The fields of
these classes are the whole vocabulary of the templates: `check` and the sandbox read it from their types.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from voucherd.adapters.letters.operator_views import AlarmView, FiguresView, alarm_view, figures_view
from voucherd.adapters.letters.values import ABSENT
from voucherd.adapters.letters.verdict_views import (
    AdviceView,
    InvoiceView,
    LineView,
    advice_views,
    invoice_view,
    line_views,
    money,
)
from voucherd.adapters.letters.words import Words
from voucherd.domain.answer_words import Said
from voucherd.domain.answers import words_of as answer_words
from voucherd.domain.letter import Due, Letter, LetterItem

SAMPLE_INVOICE = "INV-1001"
_ANSWERS = {"reserve": Said.RESERVED, "redeem": Said.REDEEMED, "bill": Said.BILLED}


@dataclass(frozen=True, slots=True)
class SayView:
    """The words of one-line answers, as the reader of answers knows them in the mail's language, and `date`: the day
    of the mail in the form that every reader takes (2021-11-30)."""

    reserved: str
    delivered: str
    redeemed: str
    cancelled: str
    billed: str
    snooze: str
    undo: str
    help: str
    date: str


@dataclass(frozen=True, slots=True)
class DueView:
    """One deadline: `name` (reserve, redeem, bill) to ask for with `if`, `word` as the reader calls it,
    `label` the same in front of a date ("Reserve by"), `date` with its weekday, and with the hour where the
    programme's day ends before the reader's, `left` ("in 5 days"), `days` as a
    number (0 is today, negative is past), `answer` the one line that says that it was met."""

    name: str
    word: str
    label: str
    date: str
    left: str
    days: int
    answer: str


@dataclass(frozen=True, slots=True)
class ItemView:
    """One voucher. A fact that is not known is shown as a dash; `reserve`, `redeem` and `bill` are the deadline
    of that name, where it is open; `deadlines` are all of them, nearest first; `missing` is a list in words;
    `unseen_invoice` the invoice that the partner says to have sent and that was not seen (empty: none); `value` what it
    is worth, `remaining` what is left to bill where part of it was billed."""

    voucher: str
    customer: str
    customer_admin: str
    offering: str
    length: str
    service: str
    due: DueView | None
    others: tuple[DueView, ...]
    deadlines: tuple[DueView, ...]
    reserve: DueView | None
    redeem: DueView | None
    bill: DueView | None
    missing: str
    known: bool
    unseen_invoice: str
    value: str
    remaining: str


@dataclass(frozen=True, slots=True)
class NoteView:
    """One thing that the answered mail said: `event` as the reader calls it, `text` the line as it was written, `date`
    the day, `other` the second one where it reads two ways (a dash where there is none)."""

    voucher: str
    event: str
    text: str
    date: str
    other: str


@dataclass(frozen=True, slots=True)
class LetterView:
    """The names at the top of a template. `due` and `voucher` are those of the most urgent item; `todo` holds
    the name of each deadline that is due in this mail. `recorded`, `undone`, `asked` (a date is asked back) and `left`
    (a person looks at it) are what became of what the answered mail said; `help` says that it asked for help. `days`
    are the dates that a query asks to choose from. `say` are the words to answer with. `priced` says that the value of
    a voucher is known, `part_billed` that part of one is billed.

    A verdict has its `invoice`, the lines `accepted` and `refused` (`refused_lines` is their number in words) and an
    `advice` for each class of these; an alarm its `alarms`, `alarm` the first of them, `alarms_in_words` their number;
    a summary its `figures`. `count` is the number of vouchers, in an alarm that of alarms."""

    partner: str
    programme: str
    quoted_subject: str
    today: str
    count: int
    vouchers: str
    voucher: str
    due: DueView | None
    todo: tuple[str, ...]
    items: tuple[ItemView, ...]
    new: tuple[ItemView, ...]
    known: tuple[ItemView, ...]
    incomplete: tuple[ItemView, ...]
    further: tuple[ItemView, ...]
    recorded: tuple[NoteView, ...]
    undone: tuple[NoteView, ...]
    asked: tuple[NoteView, ...]
    left: tuple[NoteView, ...]
    help: bool
    days: tuple[str, ...]
    say: SayView
    priced: bool
    part_billed: bool
    invoice: InvoiceView | None
    accepted: tuple[LineView, ...]
    refused: tuple[LineView, ...]
    refused_lines: str
    advice: tuple[AdviceView, ...]
    alarm: AlarmView | None
    alarms: tuple[AlarmView, ...]
    alarms_in_words: str
    figures: FiguresView | None


def view_of(letter: Letter, words: Words) -> LetterView:
    """The letter as the templates see it, its items by urgency."""
    ordered = sorted(letter.items, key=_urgency)
    items = tuple(_item(item, letter.on, words) for item in ordered)
    first = items[0] if items else None
    alarms = tuple(alarm_view(alarm, words) for alarm in letter.alarms)
    refused = line_views(letter.lines, words, accepted=False)
    return LetterView(
        partner=letter.partner,
        programme=letter.programme,
        quoted_subject=letter.quoted_subject,
        today=words.date(letter.on),
        count=len(items) or len(alarms),
        vouchers=words.counted("vouchers", len(items)),
        voucher=first.voucher if first else "",
        due=first.due if first else None,
        todo=tuple(dict.fromkeys(item.due.name for item in items if item.due)),
        items=items,
        new=tuple(item for item in items if not item.known),
        known=tuple(item for item in items if item.known),
        incomplete=tuple(item for item in items if item.missing),
        further=tuple(item for item in items if item.others),
        days=tuple(words.date(day) for day in letter.days),
        recorded=_notes(letter, "recorded", words),
        undone=_notes(letter, "undone", words),
        asked=_notes(letter, "asked", words),
        left=_notes(letter, "left", words),
        help=any(note.fate == "help" for note in letter.notes),
        say=_say(letter.on, words),
        priced=any(item.value is not None for item in letter.items),
        part_billed=any(item.remaining is not None for item in letter.items),
        invoice=invoice_view(letter.invoice, words) if letter.invoice else None,
        accepted=line_views(letter.lines, words, accepted=True),
        refused=refused,
        refused_lines=words.counted("lines", len(refused)),
        advice=advice_views(letter.lines, words),
        alarm=alarms[0] if alarms else None,
        alarms=alarms,
        alarms_in_words=words.counted("alarms", len(alarms)),
        figures=figures_view(letter.figures, words) if letter.figures else None,
    )


def _say(on: date, words: Words) -> SayView:
    said = answer_words(words.language)
    return SayView(
        reserved=said[Said.RESERVED],
        delivered=said[Said.DELIVERED],
        redeemed=said[Said.REDEEMED],
        cancelled=said[Said.CANCELLED],
        billed=said[Said.BILLED],
        snooze=said[Said.SNOOZE],
        undo=said[Said.UNDO],
        help=said[Said.HELP],
        date=on.isoformat(),
    )


def _answer(due: Due, on: date, words: Words) -> str:
    """The line that says that a deadline was met: today, or on its last day where that is over."""
    said = _ANSWERS.get(due.deadline, Said.DONE)
    detail = SAMPLE_INVOICE if said is Said.BILLED else min(on, due.on).isoformat()
    return f"{answer_words(words.language)[said]} {detail}"


def _notes(letter: Letter, fate: str, words: Words) -> tuple[NoteView, ...]:
    return tuple(
        NoteView(
            voucher=note.voucher or ABSENT,
            event=words.event(note.event) if note.event else ABSENT,
            text=note.text or ABSENT,
            date=words.date(note.on) if note.on is not None else ABSENT,
            other=words.date(note.other) if note.other is not None else ABSENT,
        )
        for note in letter.notes
        if note.fate == fate
    )


def _urgency(item: LetterItem) -> tuple[bool, int, str]:
    return (item.due is None, item.due.days_left if item.due else 0, item.voucher)


def _item(item: LetterItem, on: date, words: Words) -> ItemView:
    shown = [(one, _due(one, on, words)) for one in (item.due, *item.others) if one]
    deadlines = tuple(view for _, view in sorted(shown, key=lambda each: each[0].on))
    due = shown[0][1] if item.due else None
    others = tuple(view for _, view in (shown[1:] if item.due else shown))
    named = {one.name: one for one in reversed(deadlines)}
    length = words.counted("days", item.days) if item.days is not None else ABSENT
    service = [part for part in (item.offering, length if item.days is not None else "") if part]
    return ItemView(
        voucher=item.voucher,
        customer=item.customer or ABSENT,
        customer_admin=item.customer_admin or ABSENT,
        offering=item.offering or ABSENT,
        length=length,
        service=words.beside(service) or ABSENT,
        due=due,
        others=others,
        deadlines=deadlines,
        reserve=named.get("reserve"),
        redeem=named.get("redeem"),
        bill=named.get("bill"),
        missing=words.joined([words.fact(fact) for fact in item.missing]),
        known=item.already_known,
        unseen_invoice=item.unseen_invoice,
        value=money(item.value, words),
        remaining=money(item.remaining, words),
    )


def _due(due: Due, on: date, words: Words) -> DueView:
    return DueView(
        name=due.deadline,
        word=words.deadline(due.deadline),
        label=words.label(due.deadline),
        date=words.moment(due.ends) if due.ends else words.date(due.on),
        left=words.left(due.days_left),
        days=due.days_left,
        answer=_answer(due, on, words),
    )
