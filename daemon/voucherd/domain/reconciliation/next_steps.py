"""What the desk does about a voucher or a line that is not simply billed: one sentence for each answer.

What the partner is told to do stands in the words of the mails (templates/*/words.toml); this is the desk's side.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from voucherd.domain.reconciliation.lines import LineClass
from voucherd.domain.reconciliation.verdict import WRITTEN_OFF, Billing, Timeliness

_LINES = MappingProxyType(
    {
        LineClass.CONFLICT: "choose which content of the invoice counts, or ask the partner",
        LineClass.RESENT: "nothing: it is a copy",
        LineClass.NO_VOUCHER: "ask the partner which voucher it bills, unless it bills none",
        LineClass.AMBIGUOUS_VOUCHER: "ask for a line for each voucher",
        LineClass.UNKNOWN_VOUCHER: "check the ID with the partner; if it is right, ask for the voucher mail",
        LineClass.NOT_REDEEMED: "record the redemption when it is confirmed; the line is judged again by itself",
        LineClass.PREMATURE: "ask for an invoice dated on or after the redemption",
        LineClass.WRONG_PARTNER: "ask both partners whose work it was; the one that redeemed it bills it",
        LineClass.WRONG_CURRENCY: "ask for an invoice in the voucher's currency",
        LineClass.ZERO: "ask for a line with the amount, if one is owed",
        LineClass.CREDIT_EXCESS: "ask why more is credited than was billed",
        LineClass.TWICE: "ask for a credit note, or for the voucher that was meant",
        LineClass.OVER: "ask for a credit note over what is too much",
    }
)
_VOUCHERS = MappingProxyType(
    {
        Billing.TWICE: "ask for a credit note over {difference}",
        Billing.OVERBILLED: "ask for a credit note over {difference}",
        Billing.SHORT: "the partner bills the remaining {missing}",
        Billing.CREDITED: "the partner bills it again",
        Billing.OVERCREDITED: "ask why more was credited than was billed",
        Billing.UNBILLED: "the partner bills {missing}",
        Billing.WRONG_CURRENCY: "a new invoice in the voucher's currency",
        Billing.WRONG_PARTNER: "the partner that redeemed it bills it",
        Billing.PREMATURE: "a new invoice, dated on or after the redemption",
        Billing.ZERO: "a new invoice with the amount",
        Billing.CONFLICT: "choose which content of the invoice counts",
    }
)
_MISSED = "the window is over: ask for proof that it was submitted in time, or give it up"


def for_line(line_class: str) -> str:
    """What the desk does about a line of this class; empty where nothing is to be done."""
    return _LINES.get(LineClass(line_class), "")


def for_voucher(billing: str, timeliness: str, bill_by: str | None, difference: str | None) -> str:
    """What is to be done about a voucher with these answers, by when; empty where nothing is.

    `difference` is billed less value, as text with its currency; None where the value is not known.
    """
    amount = (difference or "what it is worth").removeprefix("-")
    step = _VOUCHERS.get(Billing(billing), "").format(difference=amount, missing=amount)
    if not step:
        return ""
    if timeliness == Timeliness.MISSED:
        return f"{step}; {_MISSED}"
    return f"{step} by {bill_by}" if timeliness == Timeliness.OPEN and bill_by else step


_WHY = "--why TEXT"
_PLACED = frozenset(
    (LineClass.NO_VOUCHER, LineClass.AMBIGUOUS_VOUCHER, LineClass.UNKNOWN_VOUCHER, LineClass.WRONG_PARTNER)
)


def line_commands(row: Mapping[str, Any]) -> list[str]:
    """The commands by which a person decides about a line, as `reconcile` reports it, with what they are about."""
    line_class, number = LineClass(row["class"]), row["number"]
    if line_class in _PLACED:
        meant = [shlex.quote(one["voucher"]) for one in row["suggestions"]] or ["VOUCHER"]
        return [f"voucherd reconcile match {number} {one} {_WHY}" for one in meant[:3]]
    if line_class is LineClass.CONFLICT:
        return [f"voucherd reconcile choose {row['document']} {_WHY}"]
    if line_class is LineClass.NOT_REDEEMED:
        return [f"voucherd record {_named(row['voucher_text'])} redeemed --on DATE"]
    if line_class is LineClass.TWICE:
        moved = f"voucherd reconcile match {number} VOUCHER {_WHY}"
        return [moved, f"voucherd reconcile unmatch {number} {_WHY}"]
    if line_class is LineClass.OVER and row["voucher"]:
        return [f"voucherd reconcile accept {_named(row['voucher'])} {_WHY}"]
    return []


def voucher_commands(row: Mapping[str, Any]) -> list[str]:
    """The same about a voucher that is not simply billed."""
    billing, voucher = Billing(row["billing"]), _named(row["id"])
    accept, give_up = (f"voucherd reconcile {word} {voucher} {_WHY}" for word in ("accept", "write-off"))
    commands = []
    if billing in (Billing.SHORT, Billing.OVERBILLED):
        commands.append(accept)
    open_still = billing in (Billing.SHORT, Billing.CREDITED) or row["timeliness"] == Timeliness.MISSED
    if open_still and WRITTEN_OFF not in row["flags"]:
        commands.append(give_up)
    if row["timeliness"] == Timeliness.MISSED:
        commands.append(f"voucherd reconcile extend {voucher} --until DATE {_WHY}")
    return commands if billing is not Billing.BILLED else []


def _named(voucher: str) -> str:
    """An ID as a word of a command line, whatever stands in it."""
    return shlex.quote(" ".join(voucher.split())) if voucher.strip() else "VOUCHER"
