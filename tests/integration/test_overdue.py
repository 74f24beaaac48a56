"""Overdue steps, as `status` counts them: what a pass would send now and should have sent days ago."""

from __future__ import annotations

import pytest

from tests.worlds import World, instant
from voucherd.service.overdue import overdue_steps

pytest_plugins = ["tests.stores"]


@pytest.mark.parametrize(
    ("at", "overdue"),
    [
        ("2021-09-09T10:00", 0),  # due an hour ago
        ("2021-11-02T08:00", 0),  # due for days, and the partner's hour is to come
        ("2021-11-03T10:00", 1),
        ("2021-11-06T10:00", 0),  # a Saturday
    ],
)
def test_a_step_is_overdue_when_it_could_go_and_should_have_gone_days_ago(
    world: World, at: str, overdue: int
) -> None:
    world.assigned("DPS-1001", partner="fabrikam", at="2021-05-14")
    with world.store.read() as tx:
        assert overdue_steps(tx, world.rules, instant(at)) == overdue


def test_steps_that_nobody_gets_are_overdue(world: World) -> None:
    world.assigned("DPS-1001", partner=None, at="2021-05-14")
    with world.store.read() as tx:
        assert overdue_steps(tx, world.rules, instant("2021-11-06T10:00")) > 0
