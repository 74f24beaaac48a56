"""Verdicts, alarms and summaries with made-up facts, one for each case that their templates tell apart."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from voucherd.domain.alarms import AlarmCode
from voucherd.domain.letter import (
    Alarm,
    Figures,
    HoldShown,
    InvoiceNamed,
    Letter,
    LetterKind,
    LineJudged,
    MailboxLook,
    Sum,
)
from voucherd.domain.reconciliation.lines import LineClass

_FULL, _LESS = 500_000, 400_000
_PARTNER, _PROGRAMME = "Contoso Consulting", "Planning Services"
_SUBJECTS = {
    AlarmCode.ADDRESS_SUPPRESSED: Alarm("", "vouchers@contoso.example", "550 5.1.1 No such user"),
    AlarmCode.NO_ADDRESS: Alarm("", "contoso", count=3),
    AlarmCode.COMPLAINT: Alarm("", "vouchers@contoso.example"),
    AlarmCode.TEMPLATE_FALLBACK: Alarm("", "reminder.md", "line 5: unknown name 'cutsomer'"),
    AlarmCode.BURST: Alarm("", count=412),
    AlarmCode.HOLD_LAST_STEP: Alarm("", "PS-2021-0417", on=date(2021, 12, 10)),
    AlarmCode.MAILBOX_DOWN: Alarm("", "vouchers", "connection refused", 3),
    AlarmCode.MAILBOX_BACK: Alarm("", "vouchers", count=1),
    AlarmCode.SENDING_DOWN: Alarm("", "smtp.desk.example", "timed out", 5),
    AlarmCode.SENDING_BACK: Alarm("", "smtp.desk.example", count=5),
    AlarmCode.SIGN_IN_REFUSED: Alarm("", "imap.desk.example", "AUTHENTICATIONFAILED"),
    AlarmCode.SECRET_EXPIRES: Alarm("", "imap-oauth2", count=14, on=date(2021, 12, 20)),
    AlarmCode.DISK_FULL: Alarm("", "var/mail", "112 MB"),
    AlarmCode.CLOCK_JUMPED: Alarm("", "", "2021-12-06T09:00:00+01:00 → 2022-12-06T09:00:00+01:00"),
    AlarmCode.LOST_MAIL: Alarm("", "vouchers", count=2),
    AlarmCode.MAIL_FAILED: Alarm("", "vouchers@contoso.example", "452 4.2.2 Mailbox full", 2),
    AlarmCode.MAIL_NOT_WRITTEN: Alarm(
        "", "vouchers@contoso.example", "line 5: unknown name 'cutsomer'", 2, target="1043"
    ),
    AlarmCode.IN_DOUBT_TWICE: Alarm("", "vouchers@contoso.example", "1042"),
    AlarmCode.CLOSED_PERIOD: Alarm("", "INV-1001", on=date(2021, 11, 30)),
}


def sample_verdicts(locale: str, on: date) -> dict[str, Letter]:
    """Everything accepted, something of each class, and the documents that do not count."""
    return {
        name: Letter(
            LetterKind.VERDICT,
            locale,
            on,
            _PARTNER,
            _PROGRAMME,
            (),
            "INV-1001",
            invoice=document,
            lines=lines,
        )
        for name, (document, lines) in {**_judged_invoices(), **_inconsistent_invoices()}.items()
    }


_INVOICE = InvoiceNamed("INV-1001", "invoice", date(2021, 12, 3), Sum(2 * _FULL, "EUR"), "accepted")
_Cases = dict[str, tuple[InvoiceNamed, tuple[LineJudged, ...]]]


def _judged_invoices() -> _Cases:
    accepted = (
        _line("1", "PS-2021-0102", LineClass.MATCHED),
        _line("2", "PS-2021-0103", LineClass.MATCHED),
    )
    every = (*accepted, *_lines_that_are_not_accepted())
    credit = replace(_INVOICE, number="K-17", kind="credit", total=Sum(-_FULL, "EUR"))
    resent = replace(_INVOICE, status="resent")
    conflict = replace(_INVOICE, status="conflict")
    correction = replace(conflict, number="INV-1002", corrects="INV-1001")
    waiting = replace(_INVOICE, status="invoice-unreadable", issued_on=None, total=None)
    changed = replace(_INVOICE, changed=True)
    return {
        "verdict": (_INVOICE, accepted),
        "verdict-single": (_INVOICE, (accepted[0], every[3])),
        "verdict-classes": (_INVOICE, every),
        "verdict-refused": (_INVOICE, every[2:4]),
        "verdict-credit": (credit, (_line("1", "PS-2021-0102", LineClass.CREDIT),)),
        "verdict-resent": (resent, tuple(replace(one, line_class="resent") for one in accepted)),
        "verdict-conflict": (conflict, tuple(replace(one, line_class="conflict") for one in accepted)),
        "verdict-correction": (correction, tuple(replace(one, line_class="conflict") for one in accepted)),
        "verdict-changed": (changed, (accepted[0],)),
        "verdict-changed-refused": (changed, (every[3],)),
        "verdict-changed-version": (replace(conflict, changed=True), ()),
        "verdict-waiting": (waiting, ()),
    }


def _lines_that_are_not_accepted() -> tuple[LineJudged, ...]:
    others = (
        LineClass.NOT_REDEEMED,
        LineClass.PREMATURE,
        LineClass.WRONG_PARTNER,
        LineClass.WRONG_CURRENCY,
        LineClass.ZERO,
        LineClass.CREDIT,
        LineClass.CREDIT_EXCESS,
        LineClass.CONFLICT,
        LineClass.RESENT,
    )
    return (
        replace(_line("3", "PS-2021-O104", LineClass.UNKNOWN_VOUCHER, voucher=""), suggestion="PS-2021-0104"),
        replace(_line("4", "PS-2021-0105", LineClass.TWICE), billed=Sum(_FULL, "EUR")),
        replace(_line("5", "PS-2021-0106", LineClass.OVER), billed=Sum(_LESS, "EUR")),
        _line("6", "", LineClass.NO_VOUCHER, voucher=""),
        _line("7", "PS-2021-0107, PS-2021-0108", LineClass.AMBIGUOUS_VOUCHER, voucher=""),
        *(_line(str(at), f"PS-2021-01{at:02}", line_class) for at, line_class in enumerate(others, 8)),
    )


def _inconsistent_invoices() -> _Cases:
    wrong = replace(
        _INVOICE,
        status="invoice-inconsistent",
        difference=Sum(10, "EUR"),
        fault="gross",
        stated=Sum(1_190_010, "EUR"),
        found=Sum(1_190_000, "EUR"),
    )
    line = replace(
        wrong,
        fault="line",
        fault_line="3",
        stated=Sum(_FULL, "EUR"),
        found=Sum(_LESS, "EUR"),
        difference=Sum(_FULL - _LESS, "EUR"),
    )
    return {
        "verdict-inconsistent": (wrong, ()),
        "verdict-inconsistent-line": (line, ()),
        "verdict-inconsistent-charges": (replace(wrong, fault="adjustments", stated=None, found=None), ()),
    }


def sample_alarms(locale: str, on: date) -> dict[str, Letter]:
    """One of each code, and several in one mail."""
    alarms = {code: replace(alarm, code=code) for code, alarm in _SUBJECTS.items()}
    cases: dict[str, tuple[Alarm, ...]] = {f"alarm-{code}": (alarm,) for code, alarm in alarms.items()}
    cases["alarm-several"] = tuple(alarms[code] for code in (AlarmCode.MAILBOX_DOWN, AlarmCode.BURST))
    return {
        name: Letter(LetterKind.ALARM, locale, on, "", _PROGRAMME, (), alarms=several)
        for name, several in cases.items()
    }


def sample_summaries(locale: str, on: date) -> dict[str, Letter]:
    """A day on which nothing happened, an ordinary one, and one on which much waits."""
    calm = (MailboxLook("vouchers", "ok", 0), MailboxLook("invoices", "ok", 3))
    troubled = (
        MailboxLook("vouchers", "ok", 0),
        MailboxLook("invoices", "unreachable", 26),
        MailboxLook("archive", "refused", 90),
        MailboxLook("new", "never-read", None),
    )
    held = (
        HoldShown("programme", _PROGRAMME, None, "rates are being agreed"),
        HoldShown("partner", _PARTNER, date(2021, 12, 13), ""),
        HoldShown("voucher", "PS-2021-0417", date(2021, 12, 10), "snooze 7", "vouchers@contoso.example"),
    )
    busy = Figures(
        read=12_345, recorded=12_301, ignored=30, reviewed=12, duplicates=2, sent=1_204, failed=3, waiting=17,
        held=250, in_doubt=1, missed=4,
        review=(("unauthenticated", 5), ("no-voucher-id", 4), ("unknown-reply", 3)),
        due=(("reserve", 40), ("redeem", 12), ("bill", 7)),
        at_risk=(Sum(1_250_000, "EUR"), Sum(98_000_000, "KRW"), Sum(1_240_050, "USD")),
        mailboxes=troubled, holds=held, more_holds=3,
    )  # fmt: skip
    ordinary = Figures(read=14, recorded=11, ignored=3, sent=9, waiting=2, due=(("bill", 1),), mailboxes=calm)
    figures = {
        "summary-empty": Figures(mailboxes=calm),
        "summary": ordinary,
        "summary-one": replace(ordinary, read=15, reviewed=1, review=(("ambiguous", 1),), holds=held[2:]),
        "summary-full": busy,
    }
    return {
        name: Letter(LetterKind.SUMMARY, locale, on, "", "", (), figures=one) for name, one in figures.items()
    }


def _line(line: str, text: str, line_class: LineClass, voucher: str | None = None) -> LineJudged:
    net = {LineClass.ZERO: 0, LineClass.CREDIT: -_FULL, LineClass.CREDIT_EXCESS: -_FULL}.get(
        line_class, _FULL
    )
    known = text if voucher is None else voucher
    currency = "USD" if line_class is LineClass.WRONG_CURRENCY else "EUR"
    return LineJudged(
        line, text, line_class, Sum(net, currency), known or None, Sum(_FULL, "EUR") if known else None
    )
