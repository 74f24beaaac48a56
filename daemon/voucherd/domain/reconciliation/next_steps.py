"""What the desk does about a voucher or a line that is not simply billed: one sentence for each answer.

What the partner is told to do stands in the words of the mails (templates/*/words.toml); this is the desk's side.
"""

from __future__ import annotations

from types import MappingProxyType

from voucherd.domain.reconciliation.lines import LineClass
from voucherd.domain.reconciliation.verdict import Billing, Timeliness

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
