"""The answers of reconciliation as values: per line, per voucher, each with its reasons in plain sentences.

Reasons are put together only when asked for: a full run makes millions of verdicts and shows few of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from voucherd.domain.reconciliation.lines import LineClass, PlacedLine
from voucherd.domain.reconciliation.rates import COUNTRY_ASSUMED, VALUE_UNKNOWN

PARTNER_UNKNOWN = "partner-unknown"
SUPPLIER_UNKNOWN = "supplier-unknown"
NO_DEADLINE = "no-deadline"
DIFFERENCE_ACCEPTED = "difference-accepted"
WINDOW_EXTENDED = "window-extended"
DISPUTED = "disputed"
WRITTEN_OFF = "written-off"
PARTLY_DUE = "partly-due"
SAME_ID = "same-id"
PRIOR_PERIOD = "prior-period"

FLAGS = (
    COUNTRY_ASSUMED,
    VALUE_UNKNOWN,
    PARTNER_UNKNOWN,
    SUPPLIER_UNKNOWN,
    NO_DEADLINE,
    DIFFERENCE_ACCEPTED,
    WINDOW_EXTENDED,
    DISPUTED,
    WRITTEN_OFF,
    PARTLY_DUE,
    SAME_ID,
    PRIOR_PERIOD,
)
"""Everything that may stand in a voucher's `flags`, in the order in which it does."""


class Billing(StrEnum):
    """What was billed for a voucher: exactly one answer, which never depends on the clock."""

    BILLED = "billed"
    TWICE = "twice"
    OVERBILLED = "overbilled"
    SHORT = "short"
    CREDITED = "credited"
    OVERCREDITED = "overcredited"
    UNBILLED = "unbilled"
    WRONG_CURRENCY = "wrong-currency"
    WRONG_PARTNER = "wrong-partner"
    PREMATURE = "premature"
    ZERO = "zero"
    CONFLICT = "conflict"


BLOCKERS = (Billing.WRONG_CURRENCY, Billing.WRONG_PARTNER, Billing.PREMATURE, Billing.ZERO, Billing.CONFLICT)
"""Why a voucher without an eligible line is not simply unbilled; the first that any of its lines has."""

COMPLETE = frozenset({Billing.BILLED, Billing.TWICE, Billing.OVERBILLED})
"""The answers that meet the billing deadline."""


class Timeliness(StrEnum):
    """Whether a voucher was billed in time; the clock only ever moves `open` to `missed`."""

    ON_TIME = "on-time"
    LATE = "late"
    OPEN = "open"
    MISSED = "missed"


class Payment(StrEnum):
    """Whether what was billed was paid."""

    NOT_BILLED = "not-billed"
    UNPAID = "unpaid"
    REVERSED = "reversed"
    PART_PAID = "part-paid"
    PAID = "paid"
    OVERPAID = "overpaid"
    PAID_UNBILLED = "paid-unbilled"


@dataclass(frozen=True, slots=True)
class Remittance:
    """A payment for a voucher: minor units of its currency, negative where money went back. None: the notice says
    that it was paid (or, `denied`, that it was not) without an amount."""

    on: date
    amount: int | None = None
    denied: bool = False


class Part(NamedTuple):
    """One part of a split payment that is due: its share of the value in minor units (None where that is unknown),
    the day of the fact that made it due, and the last day to bill it."""

    name: str
    value: int | None
    due_on: date
    bill_by: date | None


@dataclass(frozen=True, slots=True)
class VoucherDecisions:
    """What people decided about one voucher, as it stands after all decisions and their reverses.

    `accepted_short` and `accepted_over`: being billed so many minor units below or above the value counts as inside
    the tolerance. `extended_to`: the billing window that a proof of submission or an agreement gives. The others are
    shown and change no answer.
    """

    accepted_short: int = 0
    accepted_over: int = 0
    extended_to: date | None = None
    disputed: bool = False
    written_off: bool = False


NO_DECISIONS = VoucherDecisions()


class RedeemedVoucher(NamedTuple):
    """What matching needs to know about a voucher. `partner` redeemed it; `value` is in minor units of `currency`.

    A named tuple, as a full run reads a million rows of them. `flags` come from the valuation. Of a split payment
    `parts` are those that are due, `value` is what they come to, `redeemed_on` the day of the first, and `whole` says
    whether none is still to come. `decided` is a person's word about it, `key` the normal form of
    its ID. `submitted` says when the programme got a bill: the normal form of its number (empty: any), and the day.
    """

    id: str
    partner: str | None
    redeemed_on: date
    bill_by: date | None
    value: int | None = None
    currency: str | None = None
    flags: tuple[str, ...] = ()
    remittances: tuple[Remittance, ...] = ()
    parts: tuple[Part, ...] = ()
    whole: bool = True
    decided: VoucherDecisions = NO_DECISIONS
    programme: str = ""
    key: str = ""
    submitted: tuple[tuple[str, date], ...] = ()


class LineVerdict(NamedTuple):
    """The one class of a line. `billed` and `credited` are the sums of the eligible lines before it, in its
    voucher's currency; `after` is the last line before it that billed."""

    line: PlacedLine
    line_class: LineClass
    voucher: RedeemedVoucher | None = None
    billed: int = 0
    credited: int = 0
    tolerance: tuple[int, int] = (0, 0)
    after: PlacedLine | None = None


class PartVerdict(NamedTuple):
    """One part of a split payment that is due: how much of it is billed, since when in full, and whether in time."""

    part: Part
    billed: int
    completed_on: date | None
    timeliness: Timeliness


class VoucherVerdict(NamedTuple):
    """The three answers for one voucher with what they follow from.

    `billed` is N, positives less credits over its eligible lines; `difference` N − V, None where V is unknown.
    `currency` is the voucher's, or that of its first eligible line where only that is known. `lines` are in the
    order in which they bill. `completed_on` is when the voucher was billed in full. `days_left` is set while
    the window is open. `prior` is the closed period that has it otherwise, with its frozen row.
    """

    voucher: RedeemedVoucher
    lines: tuple[LineVerdict, ...]
    billing: Billing
    timeliness: Timeliness
    payment: Payment
    billed: int
    difference: int | None
    currency: str | None
    tolerance: tuple[int, int]
    bill_by: date | None
    days_left: int | None
    completed_on: date | None
    payable: int
    paid: int
    flags: tuple[str, ...]
    today: date
    parts: tuple[PartVerdict, ...] = ()
    prior: tuple[str, str] | None = None
