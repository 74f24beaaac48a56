"""An invoice is judged once: what recording concluded is what its verdict mail says, and it asks the store for no more
when it has more lines."""

from __future__ import annotations

import random
from datetime import date

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from tests.worlds import TOKEN_KEY, World, instant, invoice
from voucherd.domain.reconciliation.verdict import LineVerdict
from voucherd.service.judged_documents import displaced, judged
from voucherd.service.reconcile import take_in
from voucherd.service.recording import record_instant
from voucherd.service.verdicts import tell

pytest_plugins = ["tests.stores"]

NOON = instant("2021-09-30")
NETS = [500_000, 250_000, 500_002, 499_997, -500_000, -250_000, 0]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_what_recording_concluded_is_what_judging_anew_concludes(world: World, seed: int) -> None:
    """Several files in one transaction, with numbers that come again with other content. Every example adds to the
    ledger of those before it."""
    dice = random.Random(seed)  # noqa: S311 -- a repeatable sequence, nothing secret
    vouchers = [f"{seed}-{n}" for n in range(4)]
    for voucher in vouchers[:2]:
        world.redeemed(voucher, "2021-09-01")
    world.assigned(vouchers[2])  # not redeemed; the fourth is not known
    told: dict[int, LineVerdict] = {}
    numbers: list[int] = []
    with world.store.write() as tx:
        now = record_instant(tx, NOON)
        for at in range(4):
            document = invoice(
                f"I-{seed}-{dice.randrange(3)}",
                date(2021, 9, dice.randrange(1, 28)),
                *((dice.choice([*vouchers, ""]), dice.choice(NETS)) for _ in range(dice.randrange(1, 4))),
                supplier=dice.choice(["contoso", "contoso", "fabrikam"]),
            )
            digest = f"{seed * 10 + at:064x}"
            new = take_in(tx, world.rules, [document], f"{at}.csv", digest, None, now, told=told)
            numbers += [*new, *displaced(tx, new)]
        handed_over = judged(tx, world.rules, numbers, now, told)
        assert handed_over == judged(tx, world.rules, numbers, now)
    with world.store.read() as tx:
        assert judged(tx, world.rules, numbers, now) == handed_over


def statements_of_an_invoice(world: World, lines: int) -> int:
    """How many statements an invoice of so many lines takes, from the record to the verdict mail."""
    for at in range(lines):
        world.redeemed(f"V-{lines}-{at:03}", "2021-09-01")
    asked: list[str] = []
    document = invoice(
        f"I-{lines}", date(2021, 9, 10), *((f"V-{lines}-{at:03}", 500_000) for at in range(lines))
    )
    told: dict[int, LineVerdict] = {}
    with world.store.write() as tx:
        event.listen(tx.connection, "before_cursor_execute", lambda *given: asked.append(given[2]))
        now = record_instant(tx, NOON)
        new = take_in(tx, world.rules, [document], "a.csv", f"{lines:064x}", None, now, told=told)
        tell(tx, world.rules, new, None, TOKEN_KEY, now, told)
    assert world.mails()[-1].vouchers[-1] == f"V-{lines}-{lines - 1:03}"
    return len(asked)


def test_an_invoice_of_many_lines_asks_the_store_as_often_as_one_of_two(world: World) -> None:
    assert statements_of_an_invoice(world, 60) == statements_of_an_invoice(world, 2) <= 30
