"""Why a line has its class and a voucher its answers: short sentences from the very values of the verdict."""

from __future__ import annotations

from collections.abc import Callable

from voucherd.domain.counted import many
from voucherd.domain.reconciliation.amounts import money
from voucherd.domain.reconciliation.frozen import prior_words
from voucherd.domain.reconciliation.lines import LineClass, voucher_keys
from voucherd.domain.reconciliation.verdict import (
    Billing,
    LineVerdict,
    PartVerdict,
    Payment,
    Timeliness,
    VoucherVerdict,
)


def line_reasons(verdict: LineVerdict) -> list[str]:
    """Why the line has its class; what a person decided about it comes last."""
    sentences = _LINE[verdict.line_class](verdict)
    if verdict.line.decided:
        sentences.append(verdict.line.decided)
    return sentences


def _fixed(*sentences: str) -> Callable[[LineVerdict], list[str]]:
    return lambda _: list(sentences)


def _no_voucher(verdict: LineVerdict) -> list[str]:
    text = verdict.line.voucher_text.strip()
    return [f"{text!r} is not counted for a voucher" if text else "the line names no voucher"]


def _ambiguous(verdict: LineVerdict) -> list[str]:
    keys = voucher_keys(verdict.line.voucher_text)
    if len(keys) < 2:
        return [f"several programmes have a voucher {verdict.line.voucher_text.strip()}"]
    return [f"the line names several vouchers: {', '.join(keys[:5])}"]


def _unknown(verdict: LineVerdict) -> list[str]:
    return [f"no voucher {verdict.line.voucher_text.strip()} is known"]


def _premature(verdict: LineVerdict) -> list[str]:
    redeemed = f", redeemed on {verdict.voucher.redeemed_on}" if verdict.voucher else ""
    return [f"the document is dated {verdict.line.issued_on}{redeemed}"]


def _wrong_partner(verdict: LineVerdict) -> list[str]:
    redeemer = verdict.voucher.partner if verdict.voucher else None
    return [f"{verdict.line.supplier} bills what {redeemer} redeemed"]


def _wrong_currency(verdict: LineVerdict) -> list[str]:
    known = verdict.voucher.currency if verdict.voucher else None
    return [f"billed in {verdict.line.currency}, {f'worth {known}' if known else 'other lines are not'}"]


def _against(verdict: LineVerdict) -> str:
    """What the voucher is worth, with what was credited before this line."""
    voucher, currency = verdict.voucher, verdict.line.currency
    if voucher is None or voucher.value is None:
        return "an unknown value"
    credited = f" and {money(verdict.credited, currency)} credited before" if verdict.credited else ""
    return f"a value of {money(voucher.value, currency)}{credited}"


def _matched(verdict: LineVerdict) -> list[str]:
    line, voucher = verdict.line, verdict.voucher
    total = verdict.billed + line.net
    sentences = [f"brings what is billed to {money(total, line.currency)} against {_against(verdict)}"]
    if voucher is not None and voucher.value is not None:
        off = total - verdict.credited - voucher.value
        if line.submitted_on is not None:
            sentences.append(f"submitted on {line.submitted_on}")
        if off and -verdict.tolerance[0] <= off <= verdict.tolerance[1]:
            sentences.append(f"{money(off, line.currency)} of difference lies within the tolerance")
    return sentences


def _twice(verdict: LineVerdict) -> list[str]:
    line, after = verdict.line, verdict.after
    by = f", last by {after.invoice} line {after.line} of {after.issued_on}" if after else ""
    if after and after.net == line.net and after.invoice != line.invoice:
        by += ", with the same amount: perhaps the same invoice under another number"
    return [f"{money(verdict.billed, line.currency)} against {_against(verdict)} were billed before{by}"]


def _over(verdict: LineVerdict) -> list[str]:
    line, voucher = verdict.line, verdict.voucher
    value = voucher.value if voucher is not None and voucher.value is not None else 0
    beyond = verdict.billed + line.net - verdict.credited - value
    return [f"{money(beyond, line.currency)} beyond {_against(verdict)}"]


def _credit(verdict: LineVerdict) -> list[str]:
    line = verdict.line
    total, billed = money(verdict.credited - line.net, line.currency), money(verdict.billed, line.currency)
    more = ", more than was billed" if verdict.line_class is LineClass.CREDIT_EXCESS else ""
    return [f"brings what is credited to {total} of {billed} billed before{more}"]


_LINE: dict[LineClass, Callable[[LineVerdict], list[str]]] = {
    LineClass.CONFLICT: _fixed("another content of this document counts"),
    LineClass.RESENT: _fixed("the document is a copy of one that counts"),
    LineClass.NO_VOUCHER: _no_voucher,
    LineClass.AMBIGUOUS_VOUCHER: _ambiguous,
    LineClass.UNKNOWN_VOUCHER: _unknown,
    LineClass.NOT_REDEEMED: _fixed("no redemption of the voucher is recorded"),
    LineClass.PREMATURE: _premature,
    LineClass.WRONG_PARTNER: _wrong_partner,
    LineClass.WRONG_CURRENCY: _wrong_currency,
    LineClass.ZERO: _fixed("the net amount is 0"),
    LineClass.CREDIT: _credit,
    LineClass.CREDIT_EXCESS: _credit,
    LineClass.MATCHED: _matched,
    LineClass.TWICE: _twice,
    LineClass.OVER: _over,
}

_BLOCKED: dict[Billing, str] = {
    Billing.UNBILLED: "no invoice line names it",
    Billing.WRONG_CURRENCY: "billed only in another currency than its own",
    Billing.WRONG_PARTNER: "billed only by a partner that did not redeem it",
    Billing.PREMATURE: "billed only by documents dated before its redemption",
    Billing.ZERO: "billed only with an amount of 0",
    Billing.CONFLICT: "billed only by a document whose other content counts",
}


def voucher_reasons(verdict: VoucherVerdict) -> list[str]:
    """Why the voucher has its three answers, one sentence each: billing, timeliness, payment; then each part of a split
    payment, and what a closed period says otherwise."""
    sentences = [_billing(verdict), _timeliness(verdict), _payment(verdict)]
    sentences += [_part(verdict, one) for one in verdict.parts]
    return [*sentences, prior_words(*verdict.prior)] if verdict.prior else sentences


def _billing(verdict: VoucherVerdict) -> str:
    blocked = _BLOCKED.get(verdict.billing)
    if blocked is not None:
        if verdict.billing is Billing.UNBILLED and verdict.lines:
            return "no line that names it counts"
        return blocked
    currency = verdict.currency or ""
    billed = f"{money(verdict.billed, currency)} billed on balance"
    value, off = verdict.voucher.value, verdict.difference
    if value is None or off is None:
        return f"{billed}; its value is not known"
    sentence = f"{billed} against a value of {money(value, currency)}"
    if verdict.billing is Billing.CREDITED:
        return f"{sentence}: what was billed is credited, it must be billed again"
    if not off:
        return sentence
    lower, upper = verdict.tolerance
    way = "more" if off > 0 else "less"
    inside = ", within the tolerance" if -lower <= off <= upper else ""
    return f"{sentence}: {money(abs(off), currency)} {way}{inside}"


def _part(verdict: VoucherVerdict, one: PartVerdict) -> str:
    part, currency = one.part, verdict.currency
    worth = "" if part.value is None or currency is None else f" of {money(part.value, currency)}"
    by = f", to be billed by {part.bill_by}" if part.bill_by else ""
    done = f"billed in full on {one.completed_on}" if one.completed_on else "not billed in full"
    return f"{part.name}{worth}, due since {part.due_on}{by}: {done}"


def _timeliness(verdict: VoucherVerdict) -> str:
    by = f"to be billed by {verdict.bill_by}" if verdict.bill_by else "no billing deadline is known"
    if verdict.completed_on is not None:
        return f"billed in full on {verdict.completed_on}, {by}"
    if verdict.timeliness is Timeliness.MISSED:
        return f"not billed in full, {by}, which has passed on {verdict.today}"
    if verdict.days_left is None:
        return f"not billed in full, {by}"
    return f"not billed in full, {by}: {many(verdict.days_left, 'day', 'days')} left on {verdict.today}"


def _payment(verdict: VoucherVerdict) -> str:
    if verdict.payment is Payment.NOT_BILLED:
        return "nothing is payable"
    currency = verdict.currency
    if currency is None:
        return "paid, while nothing is billed"
    payable, paid = money(verdict.payable, currency), money(verdict.paid, currency)
    if any(remittance.amount is not None for remittance in verdict.voucher.remittances):
        return f"{paid} paid of {payable} payable with tax"
    notices = {
        Payment.PAID: "noted as paid, no amount stated",
        Payment.PAID_UNBILLED: "noted as paid, while nothing is payable",
        Payment.REVERSED: "noted as paid and later as denied",
    }
    return notices.get(verdict.payment, f"{payable} payable with tax, no payment is known")
