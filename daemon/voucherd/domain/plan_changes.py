"""What an edit of the configuration does to the plan: the mails that come, go, move, or say something else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from voucherd.domain.plan import PlannedMail
from voucherd.domain.steps import StepKey


class Change(StrEnum):
    """What becomes of one mail. `changed`: it goes at the same instant about other vouchers, or to others."""

    ADDED = "added"
    REMOVED = "removed"
    MOVED = "moved"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Addressed:
    """A planned mail with its recipients."""

    mail: PlannedMail
    to: tuple[str, ...]
    cc: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlanChange:
    """One mail of today's plan (`was`), of the other (`then`), or the two that belong together."""

    change: Change
    was: Addressed | None
    then: Addressed | None

    @property
    def shown(self) -> Addressed:
        """The mail as it will be, or was to be."""
        found = self.then or self.was
        assert found is not None  # noqa: S101 -- no change is made of nothing
        return found


def changes(today: Iterable[Addressed], then: Iterable[Addressed]) -> list[PlanChange]:
    """The differences between two plans, in the order of sending; mails that stay as they are are not named.

    A mail is the same mail where its key is (a partner's digest of a day). Of the others, those that say the same to
    the same partner at another instant have moved.
    """
    was, will = list(today), list(then)
    found = [_compared(old, new) for old, new in _pairs(was, will, lambda one: one.mail.business_key)]
    found += [_compared(old, new) for old, new in _pairs(was, will, _content)]
    found += [PlanChange(Change.REMOVED, old, None) for old in was]
    found += [PlanChange(Change.ADDED, None, new) for new in will]
    told = [one for one in found if one is not None]
    return sorted(
        told, key=lambda one: (one.shown.mail.at, one.shown.mail.partner, one.shown.mail.business_key)
    )


def due_at_once(
    today: Iterable[Addressed], then: Iterable[Addressed], is_due: Callable[[Addressed], bool]
) -> list[Addressed]:
    """The mails of the other plan that are due now and would not be due without the edit."""
    due = {step.key for one in today if is_due(one) for step in one.mail.steps}
    return [one for one in then if is_due(one) and not {step.key for step in one.mail.steps} <= due]


def _pairs(
    was: list[Addressed], will: list[Addressed], by: Callable[[Addressed], Hashable]
) -> list[tuple[Addressed, Addressed]]:
    """Takes out of both lists the mails that have the same `by`, in the order of time."""
    waiting: dict[Hashable, list[Addressed]] = defaultdict(list)
    for old in reversed(was):
        waiting[by(old)].append(old)
    pairs, left = [], []
    for new in will:
        if waiting[by(new)]:
            pairs.append((waiting[by(new)].pop(), new))
        else:
            left.append(new)
    taken = {id(old) for old, _ in pairs}
    was[:], will[:] = [old for old in was if id(old) not in taken], left
    return pairs


def _compared(old: Addressed, new: Addressed) -> PlanChange | None:
    if old.mail.at != new.mail.at:
        return PlanChange(Change.MOVED, old, new)
    same = (_content(old), old.to, old.cc) == (_content(new), new.to, new.cc)
    return None if same else PlanChange(Change.CHANGED, old, new)


def _content(one: Addressed) -> Hashable:
    return one.mail.kind is one.mail.kind.MISSED, one.mail.partner, frozenset(keys_of(one))


def keys_of(one: Addressed) -> Sequence[StepKey]:
    """The steps that a mail carries."""
    return [step.key for step in one.mail.steps]
