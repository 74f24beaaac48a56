"""Split payments: a voucher whose value is billed in parts, each due by a fact of its own (DOMAIN.md, the same shape
elsewhere: 30 % on the accepted statement of work, 70 % on the signed proof of execution)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from voucherd.domain.deadlines import Deadline, anchor_date, counted_bound, extended, waived
from voucherd.domain.programme import Programme
from voucherd.domain.voucher import Voucher


@dataclass(frozen=True, slots=True)
class PartOfVoucher:
    """One part of a voucher's payment. `due_on` is the day of the fact that makes it due, None while that is
    outstanding; `bill_by` is the last day to bill it, None where the programme sets none."""

    name: str
    percent: int
    due_on: date | None
    bill_by: date | None
    because: str = ""


def parts_of(voucher: Voucher, programme: Programme, country: str = "") -> tuple[PartOfVoucher, ...]:
    """The parts in the programme's order; none where the programme pays at once, or the voucher is revoked."""
    if not programme.payments or voucher.revoked_on is not None:
        return ()
    found = []
    for payment in programme.payments:
        due_on = anchor_date(voucher, payment.anchor)[0]
        bound = counted_bound(payment.window, voucher, country) if payment.window and due_on else None
        if bound is not None:
            bound = extended("bill", bound, voucher)
        bill_by, because = (bound.on, bound.because) if bound else (None, "")
        found.append(PartOfVoucher(payment.name, payment.percent, due_on, bill_by, because))
    return tuple(found)


def with_parts(
    deadlines: tuple[Deadline, ...], parts: tuple[PartOfVoucher, ...], voucher: Voucher
) -> tuple[Deadline, ...]:
    """The deadlines, `bill` being that of the part that must be billed next: parts have windows of their own.

    While no part that is due waits to be billed and others are still to come, there is no such deadline.
    """
    bounded = [part for part in parts if part.bill_by is not None]
    if not bounded:
        return deadlines
    waiting = [part for part in bounded if part.name not in voucher.billed_parts]
    met_on = voucher.billed_on or voucher.paid_on
    others = tuple(one for one in deadlines if one.name != "bill")
    if not waiting and met_on is None:
        return others
    chosen = min(waiting, key=_end) if waiting and met_on is None else max(bounded, key=_end)
    because = f"{chosen.name} ({chosen.percent} %): {chosen.because}"
    return (*others, Deadline("bill", _end(chosen), because, met_on, waived("bill", voucher)))


def _end(part: PartOfVoucher) -> date:
    return part.bill_by or date.max
