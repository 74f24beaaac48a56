"""Steps as these rules would have them: of another configuration, and those that are not written down yet. Nothing is
stored, and steps are computed once for all vouchers that are alike."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from voucherd.domain.near_steps import is_near, near_until
from voucherd.domain.rulebook import Rulebook
from voucherd.domain.standing import Standing
from voucherd.domain.steps import Step, StepStatus, occasion
from voucherd.service.recording import (
    all_written,
    is_outdone,
    nearest_told,
    place_of,
    steps_written,
    wanted_steps,
)
from voucherd.service.records import Alike, Sought, StepRow, VoucherKey
from voucherd.service.replanning import unmet_near
from voucherd.service.store import Transaction

_AT_ONCE = 20_000  # vouchers that are looked at together
_REMEMBERED = 30_000  # kinds of vouchers that are kept in memory
_ENDED = (StepStatus.MAILED, StepStatus.SUPERSEDED)


def steps_under(tx: Transaction, rules: Rulebook, until: datetime) -> Iterator[Step]:
    """The steps that would be planned and due by `until` after a reload with these rules, written down by then or not:
    what `service.replanning` and `service.near_steps` would store."""
    for partner in tx.replanning.partners():
        yield from _steps(tx, Sought(partner), _Kinds(rules, until))


def unwritten_steps(
    tx: Transaction, rules: Rulebook, until: datetime, partners: Sequence[str | None]
) -> Iterator[Step]:
    """The steps of these partners that are due by `until` and not written down yet."""
    if all_written(tx, until):
        return
    written, last = steps_written(tx), near_until(rules, until)
    if written is not None and last <= written:
        return

    def unwritten(step: Step, standing: Standing) -> bool:
        return not is_near(step, standing, written)

    unmet = unmet_near(rules, last, after=written)
    for partner in partners if unmet else ():
        yield from _steps(tx, Sought(partner, unmet=unmet), _Kinds(rules, until, unwritten))


@dataclass(slots=True)
class _Kinds:
    """The kinds of vouchers that were met so far, each with its occasion and the steps that it would have by `until`
    and that are `meant`, and of those the ones that are still to go, by the stored steps."""

    rules: Rulebook
    until: datetime
    meant: Callable[[Step, Standing], bool] = lambda _step, _standing: True
    alike: dict[tuple[Any, ...], Standing] = field(default_factory=dict)
    due: dict[int, tuple[Hashable, Sequence[Step]]] = field(default_factory=dict)
    left: dict[Hashable, Sequence[Step]] = field(default_factory=dict)

    def due_of(self, stored: Standing) -> tuple[Hashable, Sequence[Step]]:
        """The occasion of a stored standing by these rules, and every step that it has by `until`."""
        known = self.due.get(id(stored))
        if known is None:
            now = self.rules.stand(stored.voucher)
            known = (None, ())
            if now is not None:
                steps = [one for one in wanted_steps(self.rules, now) if one.due_at <= self.until]
                meant = [one for one in steps if self.meant(one, now)]
                known = (occasion(now, self.rules.policy_of(now)), meant)
            self.due[id(stored)] = known
        return known

    def forget(self) -> None:
        """Keeps memory bounded, however many kinds a partner has."""
        if len(self.alike) > _REMEMBERED or len(self.left) > _REMEMBERED:
            self.alike.clear()
            self.due.clear()
            self.left.clear()


def _steps(tx: Transaction, sought: Sought, kinds: _Kinds) -> Iterator[Step]:
    after: VoucherKey | None = None
    while page := tx.replanning.page(sought, after, _AT_ONCE, kinds.alike):
        yield from _steps_of_page(tx, kinds, page)
        after = page[-1].key
        kinds.forget()


def _steps_of_page(tx: Transaction, kinds: _Kinds, page: Sequence[Alike]) -> Iterator[Step]:
    found = [(voucher, *kinds.due_of(voucher.standing)) for voucher in page]
    found = [one for one in found if one[2]]
    shapes = tx.replanning.shapes([voucher.key for voucher, _, _ in found])
    for voucher, same, steps in found:
        shape = shapes.get(voucher.key)
        text = shape.text if shape else ""
        left = kinds.left.get((same, text))
        if left is None:
            left = kinds.left[same, text] = _still_to_go(steps, tx.replanning.rows_of(text))
        for step in left:
            yield replace(step, key=replace(step.key, voucher=voucher.shown))


def _still_to_go(steps: Sequence[Step], rows: Sequence[StepRow]) -> list[Step]:
    known, told = {place_of(row): row for row in rows}, nearest_told(rows)
    going = []
    for step in steps:
        row = known.get(place_of(step.key))
        fresh = row is None or row.status == StepStatus.WITHDRAWN
        if not (is_outdone(step.key, told) if fresh else row is not None and row.status in _ENDED):
            going.append(step)
    return going
