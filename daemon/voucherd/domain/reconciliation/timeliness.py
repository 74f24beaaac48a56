"""Whether a voucher was billed in time: as a whole, and part by part where its payment is split."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from voucherd.domain.reconciliation.content import invoice_key
from voucherd.domain.reconciliation.lines import ELIGIBLE, PlacedLine
from voucherd.domain.reconciliation.verdict import LineVerdict, Part, PartVerdict, Timeliness


def judge_timeliness(completed_on: date | None, bill_by: date | None, today: date) -> Timeliness:
    """Completed on or before bill-by: on time, after it: late; not completed: open up to and including bill-by,
    then missed. Without a deadline nothing is late."""
    if completed_on is not None:
        return Timeliness.ON_TIME if bill_by is None or completed_on <= bill_by else Timeliness.LATE
    return Timeliness.OPEN if bill_by is None or today <= bill_by else Timeliness.MISSED


def submitted(line: PlacedLine, said: Sequence[tuple[str, date]]) -> PlacedLine:
    """The line with the day on which the programme got its bill: the first one stated for its number, or for any."""
    number = invoice_key(line.invoice)
    days = [on for name, on in said if name in ("", number)]
    return line._replace(submitted_on=min(days)) if days else line


def judge_parts(
    parts: Sequence[Part], lines: Sequence[LineVerdict], slack: int, today: date
) -> tuple[PartVerdict, ...]:
    """Each part that is due, in the order in which they are paid: what is billed fills the first before the next.

    A part is complete since the line that last lifted the balance to all that is due up to it, less `slack`.
    """
    eligible = [verdict.line for verdict in lines if verdict.line_class in ELIGIBLE]
    balance = sum(line.net for line in eligible)
    before, found = 0, []
    for at, part in enumerate(parts):
        value = part.value or 0
        needed = max(before + value - slack, before + 1)
        completed_on, sum_so_far = None, 0
        for line in eligible:
            if sum_so_far < needed <= sum_so_far + line.net:
                completed_on = line.submitted_on or line.issued_on
            sum_so_far += line.net
        if balance < needed or part.value is None:
            completed_on = None
        last = at == len(parts) - 1
        billed = max(balance - before, 0) if last else min(max(balance - before, 0), value)
        timeliness = judge_timeliness(completed_on, part.bill_by, today)
        found.append(PartVerdict(part, billed, completed_on, timeliness))
        before += value
    return tuple(found)


def together(
    parts: Sequence[PartVerdict], completed_on: date | None, bill_by: date | None, today: date
) -> tuple[date | None, Timeliness]:
    """The one answer of a split payment, and the deadline that it is about: the first that is not met, else the last.

    Missed where any part that is not billed is past its own window; late where one of them was billed after it.
    """
    ends = {one.part.name: one.part.bill_by or bill_by for one in parts}
    waiting = [ends[one.part.name] for one in parts if one.completed_on is None]
    if completed_on is None and waiting:
        end = min((day for day in waiting if day is not None), default=None)
        return end, judge_timeliness(None, end, today)
    end = max((day for day in ends.values() if day is not None), default=None)
    if completed_on is None or not any(one.completed_on for one in parts):
        return end, judge_timeliness(completed_on, end, today)
    late = any(
        one.completed_on is not None
        and judge_timeliness(one.completed_on, ends[one.part.name], today) == "late"
        for one in parts
    )
    return end, Timeliness.LATE if late else Timeliness.ON_TIME
