"""A clock that jumps is found out by one that nobody sets, and believed again when there is reason to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from voucherd.runner.clockwatch import JUMP, ClockWatch, steady, synchronised

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


class Machine:
    """A machine whose clock can be set."""

    def __init__(self) -> None:
        self.passed = timedelta(0)
        self.step = timedelta(0)
        self.time_service = False


@pytest.fixture
def machine() -> Machine:
    return Machine()


def watching(machine: Machine) -> ClockWatch:
    return ClockWatch(
        lambda: NOON + machine.passed + machine.step,
        lambda: machine.passed.total_seconds(),
        lambda: machine.time_service,
    )


@pytest.mark.parametrize("step", [DAY, -DAY, JUMP + MINUTE, -(JUMP + MINUTE), 400 * DAY])
def test_a_step_is_told_with_its_size_and_stands_until_the_clock_is_back(
    machine: Machine, step: timedelta
) -> None:
    watch = watching(machine)
    assert watch.doubt() is None
    machine.passed = MINUTE
    machine.step = step
    doubt = watch.doubt()
    assert doubt is not None
    assert (doubt.by, doubt.noticed_at) == (step, NOON + MINUTE + step)
    machine.passed += 5 * MINUTE
    assert watch.doubt() == doubt, "it is one incident, however long it lasts"
    machine.step = timedelta(seconds=2)
    assert watch.doubt() is None


def test_hours_that_pass_and_small_steps_are_no_jump(machine: Machine) -> None:
    watch = watching(machine)
    for _ in range(300):
        machine.passed += 60 * MINUTE
        machine.step += timedelta(seconds=30)  # as a time service corrects a bad clock, again and again
        assert watch.doubt() is None


def test_a_step_that_the_time_service_stands_behind_is_believed(machine: Machine) -> None:
    watch = watching(machine)
    machine.step = DAY
    assert watch.doubt() is not None
    machine.time_service = True
    assert watch.doubt() is None
    machine.time_service = False
    assert watch.doubt() is None, "it was right then, and has not jumped since"


def test_a_person_may_say_that_the_clock_is_right(machine: Machine) -> None:
    watch = watching(machine)
    machine.step = -DAY
    assert watch.doubt() is not None
    watch.trust()
    assert watch.doubt() is None


def test_a_clock_that_stands_as_of_is_believed() -> None:
    watch = ClockWatch(lambda: NOON, None, lambda: False)
    assert watch.doubt() is None


def test_this_machine_can_be_asked() -> None:
    assert steady() <= steady()
    assert synchronised() in {True, False}
