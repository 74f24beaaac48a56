"""The rules of reconciliation: one pure function over the lines of one voucher (RECONCILIATION.md, Shape).

An incoming document calls it for the vouchers that it names, the full run for all of them; both get the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from voucherd.domain.reconciliation.documents import DocumentStatus
from voucherd.domain.reconciliation.lines import LineClass, PlacedLine, document_class, order
from voucherd.domain.reconciliation.payment import judge_payment
from voucherd.domain.reconciliation.rates import VALUE_UNKNOWN
from voucherd.domain.reconciliation.timeliness import judge_parts, judge_timeliness, submitted, together
from voucherd.domain.reconciliation.tolerance import Tolerance
from voucherd.domain.reconciliation.verdict import (
    BLOCKERS,
    COMPLETE,
    DIFFERENCE_ACCEPTED,
    DISPUTED,
    FLAGS,
    NO_DEADLINE,
    NO_DECISIONS,
    PARTLY_DUE,
    PARTNER_UNKNOWN,
    SUPPLIER_UNKNOWN,
    WINDOW_EXTENDED,
    WRITTEN_OFF,
    Billing,
    LineVerdict,
    PartVerdict,
    RedeemedVoucher,
    Timeliness,
    VoucherDecisions,
    VoucherVerdict,
)


def match_voucher(
    voucher: RedeemedVoucher,
    lines: Sequence[PlacedLine],
    tolerance: Tolerance,
    today: date,
) -> VoucherVerdict:
    """The class of every line placed at `voucher`, and the voucher's three answers as of `today`.

    `lines` are all the lines that name the voucher, in any order, whatever their document's status.
    """
    decisions = voucher.decided
    if voucher.submitted:
        lines = [submitted(line, voucher.submitted) for line in lines]
    account = _settle(voucher, lines, tolerance, decisions)
    billing = _billing(voucher.value, account)
    completed_on = account.completed_on if billing in COMPLETE else None
    bill_by = voucher.bill_by
    if decisions.extended_to is not None and (bill_by is None or decisions.extended_to > bill_by):
        bill_by = decisions.extended_to
    parts: tuple[PartVerdict, ...] = ()
    if voucher.parts:
        parts = judge_parts(voucher.parts, account.verdicts, account.around[0], today)
        bill_by, timeliness = together(parts, completed_on, bill_by, today)
    else:
        timeliness = judge_timeliness(completed_on, bill_by, today)
    payment, paid = judge_payment(voucher.remittances, account.payable, account.bounds)
    net = account.positive - account.credited
    return VoucherVerdict(
        voucher,
        account.verdicts,
        billing,
        timeliness,
        payment,
        net,
        None if voucher.value is None else net - voucher.value,
        account.currency,
        account.around,
        bill_by,
        (bill_by - today).days if bill_by is not None and timeliness is Timeliness.OPEN else None,
        completed_on,
        account.payable,
        paid,
        _flags(voucher, lines, bill_by, decisions),
        today,
        parts,
    )


class _Account(NamedTuple):
    """What the lines of one voucher come to. `first` is the first amount billed; `bounds` is τ below and above,
    `around` the same with the differences that a person accepted."""

    verdicts: tuple[LineVerdict, ...]
    positive: int
    credited: int
    first: int
    payable: int
    currency: str | None
    bounds: tuple[int, int]
    around: tuple[int, int]
    completed_on: date | None


def _settle(
    voucher: RedeemedVoucher, lines: Sequence[PlacedLine], tolerance: Tolerance, decisions: VoucherDecisions
) -> _Account:
    """Takes the lines in the order in which they bill, each judged by what was billed and credited before it.

    A voucher without a value or currency takes the currency of its first eligible line: never mixed.
    """
    value, currency = voucher.value, voucher.currency
    bounds, around = _bounds(tolerance, value, currency, decisions)
    verdicts: list[LineVerdict] = []
    positive = credited = first = owed = 0
    after: PlacedLine | None = None
    completed_on: date | None = None
    for line in sorted(lines, key=order) if len(lines) > 1 else lines:
        line_class = _blocked(line, voucher, currency)
        if line_class is not None:
            verdicts.append(LineVerdict(line, line_class, voucher))
            continue
        if currency is None:
            currency = line.currency
            bounds, around = _bounds(tolerance, value, currency, decisions)
        net = line.net
        line_class = _eligible_class(net, positive, credited, value, bounds[0], around)
        if value is None and not first and net > 0:
            bounds = around = _below(bounds, net)
        verdicts.append(LineVerdict(line, line_class, voucher, positive, credited, around, after))
        if line_class is LineClass.MATCHED or line_class is LineClass.CREDIT:
            owed += net + (line.tax or 0)
        complete = bounds[1] + 1 if value is None else value - around[0]
        before = positive - credited
        if net < 0:
            credited -= net
        else:
            positive += net
            first = first or net
            after = line
        if before < complete <= before + net:
            completed_on = line.submitted_on or line.issued_on
    return _Account(tuple(verdicts), positive, credited, first, owed, currency, bounds, around, completed_on)


def _bounds(
    tolerance: Tolerance, value: int | None, currency: str | None, decisions: VoucherDecisions
) -> tuple[tuple[int, int], tuple[int, int]]:
    """τ below and above, and the same with what a person accepted; below they never reach the whole value, or nothing
    at all would count as billed."""
    lower, upper = tolerance.bounds(value, currency)
    if value is not None and lower >= value:
        lower = max(value - 1, 0)
    if decisions is NO_DECISIONS:
        return (lower, upper), (lower, upper)
    below = lower if value is None else min(max(lower, decisions.accepted_short), max(value - 1, 0))
    return (lower, upper), (below, max(upper, decisions.accepted_over))


def _below(bounds: tuple[int, int], first: int) -> tuple[int, int]:
    """τ of a voucher without a value, once its first line stands for it: it never reaches that line's whole amount,
    or a second line could pass for the rounding of the first."""
    return min(bounds[0], first - 1), min(bounds[1], first - 1)


def _blocked(line: PlacedLine, voucher: RedeemedVoucher, currency: str | None) -> LineClass | None:
    """The class of a line that is not eligible, None for one that is."""
    if line.status != DocumentStatus.ACCEPTED:
        return document_class(line)
    if line.issued_on < voucher.redeemed_on:
        return LineClass.PREMATURE
    if line.supplier != voucher.partner and line.supplier is not None and voucher.partner is not None:
        return LineClass.WRONG_PARTNER
    if line.currency != currency and currency is not None:
        return LineClass.WRONG_CURRENCY
    return LineClass.ZERO if line.net == 0 else None


def _eligible_class(
    net: int, positive: int, credited: int, value: int | None, slack: int, around: tuple[int, int]
) -> LineClass:
    """The class of a line that counts, by what was billed and credited before it (table of RECONCILIATION.md).

    Without a value amounts cannot be judged: the first line is matched, the next one is `twice`.
    """
    lower, upper = around
    if net < 0:
        return LineClass.CREDIT if credited - net <= positive + slack else LineClass.CREDIT_EXCESS
    if value is None:
        return LineClass.TWICE if positive - credited > upper else LineClass.MATCHED
    if positive + net <= value + credited + upper:
        return LineClass.MATCHED
    return LineClass.TWICE if positive >= value + credited - lower else LineClass.OVER


def _billing(value: int | None, account: _Account) -> Billing:
    """The one billing answer, first that applies (RECONCILIATION.md, Voucher)."""
    if not account.positive and not account.credited:
        return _blocker(account.verdicts)
    net = account.positive - account.credited
    lower, upper = account.bounds
    below, above = account.around
    ceiling, floor = (account.first, upper + 1) if value is None else (value, value - below)
    if net > ceiling + above:
        if any(verdict.line_class is LineClass.TWICE for verdict in account.verdicts):
            return Billing.TWICE
        return Billing.BILLED if value is None else Billing.OVERBILLED
    if net >= floor:
        return Billing.BILLED
    if account.credited and -lower <= net <= upper:
        return Billing.CREDITED
    if net < -lower:
        return Billing.OVERCREDITED
    return Billing.BILLED if value is None else Billing.SHORT


def _blocker(verdicts: tuple[LineVerdict, ...]) -> Billing:
    """Why no line counts: the first blocker that any line has, `unbilled` where there is none."""
    if not verdicts:
        return Billing.UNBILLED
    classes = {str(verdict.line_class) for verdict in verdicts}
    return next((blocker for blocker in BLOCKERS if blocker in classes), Billing.UNBILLED)


def _flags(
    voucher: RedeemedVoucher, lines: Sequence[PlacedLine], bill_by: date | None, decisions: VoucherDecisions
) -> tuple[str, ...]:
    """Everything that had to be assumed or was decided, in a fixed order."""
    found = set(voucher.flags)
    if voucher.value is None:
        found.add(VALUE_UNKNOWN)
    if voucher.partner is None:
        found.add(PARTNER_UNKNOWN)
    for line in lines:
        if line.supplier is None:
            found.add(SUPPLIER_UNKNOWN)
    if bill_by is None:
        found.add(NO_DEADLINE)
    if not voucher.whole:
        found.add(PARTLY_DUE)
    if decisions is not NO_DECISIONS:
        given = (
            (DIFFERENCE_ACCEPTED, decisions.accepted_short > 0 or decisions.accepted_over > 0),
            (WINDOW_EXTENDED, decisions.extended_to is not None),
            (DISPUTED, decisions.disputed),
            (WRITTEN_OFF, decisions.written_off),
        )
        found.update(flag for flag, holds in given if holds)
    return tuple(flag for flag in FLAGS if flag in found) if found else ()
