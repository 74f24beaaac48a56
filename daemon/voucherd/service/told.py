"""What notices and answers tell, message by message, before any of it is recorded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from voucherd.domain.events import Event
from voucherd.domain.holds import Hold
from voucherd.domain.letter import Note
from voucherd.domain.partner import Partner
from voucherd.service.records import VoucherKey

if TYPE_CHECKING:  # `handin` calls what calls this
    from voucherd.service.handin import Decided


@dataclass(slots=True)
class Told:
    """What one message leads to: events, holds and their releases, the doubts that a person must settle, notes for the
    receipt, the vouchers that it is about. `ends_talk`: it answers a receipt (`to_receipt`), and not by one line as a
    person does: no further receipt is sent."""

    events: list[tuple[VoucherKey, Event]] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    doubts: list[tuple[str, str, VoucherKey | None]] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    about: list[VoucherKey] = field(default_factory=list)
    partner: Partner | None = None
    to_receipt: bool = False
    ends_talk: bool = False

    def doubt(self, code: str, reason: str, key: VoucherKey | None = None) -> None:
        """Notes what a person must settle: a review code, the reason, the voucher where it is one."""
        self.doubts.append((code, reason, key))


def rounds(new: Sequence[tuple[int, Decided]]) -> Iterator[list[tuple[int, Decided]]]:
    """The messages that report something, in groups in which no voucher is spoken of twice: what a message may bring
    about depends on what those before it did."""
    group: list[tuple[int, Decided]] = []
    spoken: set[tuple[str, str]] = set()
    for number, one in new:
        keys = {(notice.programme, notice.key) for notice in one.handling.notices}
        if not keys and one.handling.reply is None:
            continue
        if group and (one.handling.reply is not None or keys & spoken):
            yield group
            group, spoken = [], set()
        group.append((number, one))
        spoken |= keys
        if one.handling.reply is not None:
            yield group
            group, spoken = [], set()
    if group:
        yield group
