"""A person's word about reconciliation: it acts at once, stands through every later run, and is taken back whole."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from tests.worlds import FABRIKAM, PROGRAMME, WORTH, World, event_of, instant, invoice, key_of, rulebook
from voucherd.domain.events import EventKind
from voucherd.domain.reconciliation.decisions import Word
from voucherd.domain.reconciliation.tolerance import tolerance_of
from voucherd.domain.voucher import State
from voucherd.errors import OperatorError
from voucherd.service import decisions, periods
from voucherd.service.decisions import Made, Teller
from voucherd.service.full_run import Difference, follow_rules, full_run, mend
from voucherd.service.reconcile import reconciliation, take_in
from voucherd.service.recording import record
from voucherd.service.records import VoucherKey

pytest_plugins = ["tests.stores"]

DPS, OTHER = "DPS-1001", "DPS-1002"
SEPTEMBER = date(2021, 9, 10)


def teller(at: str = "2021-10-01", why: str = "as agreed by telephone") -> Teller:
    return Teller("operator kim", why, instant(at))


def matched(world: World, line: int, voucher: str, at: str = "2021-10-01") -> Made:
    return decisions.match_line(world.store, world.rules, line, voucher, None, teller(at))


def about(world: World, word: Word, voucher: str = DPS, at: str = "2021-10-01", **more: Any) -> Made:
    return decisions.decide_about_voucher(world.store, world.rules, word, voucher, teller(at), **more)


def undone(world: World, number: int, at: str = "2021-10-02") -> Made:
    return decisions.undo(world.store, world.rules, number, teller(at, "it was a mistake"))


def row(world: World, voucher: str = DPS, at: str = "2021-10-10") -> dict[str, Any]:
    [found] = [one for one in world.reconciliation(at)["vouchers"] if one["id"] == voucher]
    return found


def classes(world: World, at: str = "2021-10-10") -> list[str]:
    return [line["class"] for line in world.reconciliation(at)["lines"]]


def differences(world: World) -> list[Difference]:
    """Where a full run comes to something else than what was stored as things came in."""
    with world.store.read() as tx:
        return full_run(tx, world.rules, instant("2022-06-01")).differences


def stood(world: World, voucher: str = DPS) -> tuple[State, date | None, set[str]]:
    """What the rest of the program sees of a voucher's billing."""
    standing = world.standing(voucher)
    return standing.voucher.state, standing.voucher.billed_on, world.statuses(voucher, "bill")


# lines


def test_a_line_that_is_matched_bills_the_voucher_at_once_and_through_later_runs(world: World) -> None:
    world.redeemed(DPS, "2021-09-01")
    world.take_in(invoice("I-1", SEPTEMBER, ("DPS-l00l", 500_000)))
    assert classes(world) == ["unknown-voucher"]
    made = matched(world, 1, DPS)
    assert made.verdicts[key_of(DPS)].billing == "billed"
    assert stood(world) == (State.BILLED, SEPTEMBER, {"met"})
    world.take_in(invoice("I-2", date(2021, 9, 20), (OTHER, 100)), at="2021-10-05")
    assert classes(world) == ["matched", "unknown-voucher"]
    [line, _] = world.reconciliation("2021-10-10")["lines"]
    assert line["because"][-1] == f"put to {DPS} by operator kim (decision 1): as agreed by telephone"
    assert differences(world) == []


def test_an_unmatch_takes_the_match_back_and_leaves_no_trace_but_the_history(world: World) -> None:
    world.redeemed(DPS, "2021-09-01")
    world.take_in(invoice("I-1", SEPTEMBER, ("DPS-l00l", 500_000)))
    before, report = stood(world), row(world)
    matched(world, 1, DPS)
    decisions.unmatch_line(world.store, world.rules, 1, teller("2021-10-02"))
    assert (stood(world), row(world)) == (before, report)
    assert [one.kind.value for one in world.history(DPS)][-4:] == [
        "decided",
        "billed",
        "decided",
        "credit-note",
    ]
    matched(world, 1, DPS, at="2021-10-03")
    assert stood(world) == (State.BILLED, SEPTEMBER, {"met"})
    assert differences(world) == []


def test_a_line_that_nobody_matched_is_taken_from_the_voucher_that_it_names_and_put_back(
    world: World,
) -> None:
    world.redeemed(DPS, "2021-09-01")
    world.take_in(invoice("I-1", SEPTEMBER, (DPS, 500_000)))
    billed = stood(world)
    made = decisions.unmatch_line(world.store, world.rules, 1, teller())
    assert classes(world) == ["no-voucher"]
    assert stood(world) == (State.REDEEMED, None, {"planned"})
    undone(world, made.decision.number)
    assert stood(world) == billed
    assert differences(world) == []


def test_a_line_moves_from_one_voucher_to_another_and_back(world: World) -> None:
    for voucher in (DPS, OTHER):
        world.redeemed(voucher, "2021-09-01")
    world.take_in(invoice("I-1", SEPTEMBER, (DPS, 500_000)))
    made = matched(world, 1, OTHER)
    assert [stood(world, voucher)[0] for voucher in (DPS, OTHER)] == [State.REDEEMED, State.BILLED]
    undone(world, made.decision.number)
    assert [stood(world, voucher)[0] for voucher in (DPS, OTHER)] == [State.BILLED, State.REDEEMED]
    undone(world, 2, at="2021-10-03")  # the undo itself: the match stands again
    assert [stood(world, voucher)[0] for voucher in (DPS, OTHER)] == [State.REDEEMED, State.BILLED]
    assert differences(world) == []


def test_the_content_that_a_person_chooses_counts_whichever_was_first(world: World) -> None:
    for voucher in (DPS, OTHER):
        world.redeemed(voucher, "2021-09-01")
    world.take_in(invoice("I-1", SEPTEMBER, (DPS, 500_000)))
    world.take_in(invoice("I-1", date(2021, 9, 12), (OTHER, 500_000)))
    assert classes(world) == ["matched", "conflict"]
    made = decisions.choose_document(world.store, world.rules, 2, teller())
    assert classes(world) == ["conflict", "matched"]
    assert [stood(world, voucher)[0] for voucher in (DPS, OTHER)] == [State.REDEEMED, State.BILLED]
    undone(world, made.decision.number)
    assert classes(world) == ["matched", "conflict"]
    assert differences(world) == []


def test_a_disputed_line_is_judged_as_before_and_says_so(world: World) -> None:
    world.redeemed(DPS, "2021-09-01")
    world.take_in(invoice("I-1", SEPTEMBER, (DPS, 500_000)))
    decisions.dispute_line(world.store, world.rules, 1, teller(why="the work was not done"))
    [line] = world.reconciliation("2021-10-10")["lines"]
    assert line["class"] == "matched"
    assert line["because"][-1] == "disputed by operator kim (decision 1): the work was not done"


# vouchers


def test_a_write_off_ends_the_billing_reminders_and_its_reversal_brings_them_back(world: World) -> None:
    world.redeemed(DPS, "2021-09-01")
    before = stood(world), row(world, at="2021-10-31T12:00")
    made = about(world, Word.WRITE_OFF)
    assert stood(world) == (State.REDEEMED, None, {"withdrawn"})
    [because] = {step.because for step in world.steps(DPS, "bill")}
    assert because == "the voucher was written off on 2021-10-01"
    assert row(world)["flags"] == ["written-off"]
    assert world.remind("2021-10-31T09:00") == 0
    undone(world, made.decision.number, at="2021-10-31T10:00")
    assert (stood(world), row(world, at="2021-10-31T12:00")) == before
    assert world.remind("2021-10-31T11:00") == 1
    assert differences(world) == []


def test_an_accepted_difference_meets_the_deadline_and_a_credit_note_reopens_it(world: World) -> None:
    world.redeemed(DPS, "2021-09-01")
    world.take_in(invoice("I-1", SEPTEMBER, (DPS, 400_000)))
    assert stood(world)[0] is State.REDEEMED
    made = about(world, Word.ACCEPT)
    assert (made.decision.amount, made.decision.currency) == (-100_000, "EUR")
    assert stood(world) == (State.BILLED, SEPTEMBER, {"met"})
    world.take_in(invoice("K-1", date(2021, 10, 5), (DPS, -400_000), kind="credit"), at="2021-10-06")
    assert stood(world) == (State.REDEEMED, None, {"planned"})
    assert row(world)["billing"] == "credited"
    assert differences(world) == []


def test_an_accepted_difference_that_is_taken_back_leaves_the_rest_open(world: World) -> None:
    world.redeemed(DPS, "2021-09-01")
    world.take_in(invoice("I-1", SEPTEMBER, (DPS, 400_000)))
    before = stood(world), row(world)
    undone(world, about(world, Word.ACCEPT).decision.number)
    assert (stood(world), row(world)) == before
    assert differences(world) == []


def test_an_extended_window_moves_the_deadline_its_reminders_and_the_timeliness(world: World) -> None:
    world.redeemed(DPS, "2021-09-01")
    before = stood(world), row(world)
    made = about(world, Word.EXTEND, until=date(2021, 12, 15))
    bill = world.standing(DPS).deadline("bill")
    assert bill is not None
    assert (bill.on, bill.because.partition(":")[0]) == (
        date(2021, 12, 15),
        "extended to 2021-12-15 by a person, was 2021-10-31",
    )
    assert {step.deadline_on for step in world.steps(DPS, "bill") if step.status == "planned"} == {bill.on}
    assert (row(world)["bill_by"], row(world)["flags"]) == ("2021-12-15", ["window-extended"])
    undone(world, made.decision.number)
    assert row(world) == before[1]
    assert {step.deadline_on for step in world.steps(DPS, "bill") if step.status == "planned"} == {
        date(2021, 10, 31)
    }
    assert differences(world) == []


def test_a_dispute_is_shown_and_changes_no_answer(world: World) -> None:
    world.redeemed(DPS, "2021-09-01")
    before = row(world)
    about(world, Word.DISPUTE)
    assert row(world) == {**before, "flags": ["disputed"]}
    assert stood(world)[2] == {"planned"}


@pytest.mark.parametrize(
    ("decide", "said"),
    [
        (lambda world: matched(world, 9, DPS), "there is no line 9"),
        (lambda world: matched(world, 1, DPS), "line 1 belongs to DPS-1001 already"),
        (lambda world: matched(world, 1, "DPS-9999"), "there is no voucher DPS-9999"),
        (lambda world: undone(world, 9), "there is no decision 9"),
        (lambda world: about(world, Word.ACCEPT), "DPS-1001 is billed"),
        (
            lambda world: about(world, Word.WRITE_OFF),
            "DPS-1001 is billed in full: nothing is left to write off",
        ),
        (lambda world: about(world, Word.EXTEND, until=date(2021, 9, 30)), "2021-09-30 is no extension"),
        (
            lambda world: decisions.choose_document(world.store, world.rules, 1, teller()),
            "document 1 is the only content of its number: it counts already",
        ),
        (
            lambda world: decisions.unmatch_line(world.store, world.rules, 1, teller(why=" ")),
            "a decision needs a reason",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_and_nothing_is_stored(world: World, decide: Any, said: str) -> None:
    world.redeemed(DPS, "2021-09-01")
    world.take_in(invoice("I-1", SEPTEMBER, (DPS, 500_000)))
    history = world.history(DPS)
    with pytest.raises(OperatorError) as refused:
        decide(world)
    assert refused.value.what == said
    with world.store.read() as tx:
        assert tx.decisions.every() == []
    assert world.history(DPS) == history


# the same ID in two programmes


def two_programmes(world: World, second_partner: str) -> World:
    """`DPS-1001` redeemed in two programmes, in the second one by another partner or by the same."""
    other = replace(world.rules.programmes[PROGRAMME], id="other")
    world = replace(world, rules=replace(world.rules, programmes={**world.rules.programmes, "other": other}))
    world.redeemed(DPS, "2021-09-01")

    with world.store.write() as tx:
        at = instant("2021-09-02")
        told = {"programme": "other", "partner": second_partner}
        key = VoucherKey("other", key_of(DPS).key)
        assigned = event_of(DPS, EventKind.ASSIGNED, date(2021, 5, 12), at, facts=WORTH, **told)
        redeemed = event_of(DPS, EventKind.REDEEMED, date(2021, 9, 1), at, **told)
        record(tx, world.rules, [(key, assigned), (key, redeemed)], at)
    return world


def test_one_line_bills_the_voucher_that_its_supplier_redeemed_and_no_other_of_that_id(world: World) -> None:
    world = two_programmes(world, "fabrikam")
    world.take_in(invoice("I-1", SEPTEMBER, (DPS, 500_000)))
    found = {one["programme"]: one["billing"] for one in world.reconciliation("2021-10-10")["vouchers"]}
    assert found == {PROGRAMME: "billed", "other": "unbilled"}
    with world.store.read() as tx:
        kinds = [
            event.kind.value
            for event in tx.ledger.events([VoucherKey("other", "DPS1001")])[VoucherKey("other", "DPS1001")]
        ]
    assert "billed" not in kinds
    assert differences(world) == []


def test_where_one_partner_redeemed_both_a_person_says_which_and_nothing_is_billed_before(
    world: World,
) -> None:
    world = two_programmes(world, "contoso")
    world.take_in(invoice("I-1", SEPTEMBER, (DPS, 500_000)))
    assert classes(world) == ["ambiguous-voucher"]
    decisions.match_line(world.store, world.rules, 1, DPS, "other", teller())
    found = {one["programme"]: one["billing"] for one in world.reconciliation("2021-10-10")["vouchers"]}
    assert found == {PROGRAMME: "unbilled", "other": "billed"}
    assert differences(world) == []


# time


def test_a_look_at_the_past_knows_nothing_of_what_came_later(world: World) -> None:
    world.redeemed(DPS, "2021-09-01")
    world.take_in(invoice("I-1", SEPTEMBER, ("DPS-l00l", 500_000)), at="2021-09-15")
    then = world.reconciliation("2021-09-20")
    matched(world, 1, DPS, at="2021-09-25")
    world.redeemed(OTHER, "2021-09-26")
    world.take_in(invoice("I-2", date(2021, 9, 27), (DPS, 500_000)), at="2021-09-28")
    about(world, Word.EXTEND, until=date(2021, 12, 15), at="2021-09-29")
    assert world.reconciliation("2021-09-20") == then
    assert [one["id"] for one in world.reconciliation("2021-09-25T13:00")["vouchers"]] == [DPS]
    assert row(world, at="2021-09-25T13:00")["billing"] == "billed"
    assert row(world)["billing"] == "twice"


def test_an_invoice_is_never_recorded_behind_another(world: World) -> None:
    world.take_in(invoice("I-1", SEPTEMBER, (DPS, 1)), at="2021-10-05")
    with world.store.read() as tx:
        assert tx.state.newest_record() == instant("2021-10-05")


# other rules


def test_other_rates_and_another_tolerance_judge_again_what_is_there(world: World) -> None:
    world.redeemed(DPS, "2021-09-01")
    world.take_in(invoice("I-1", SEPTEMBER, (DPS, 499_000)))
    assert follow_rules(world.store, world.rules, "narrow")
    assert stood(world)[0] is State.REDEEMED
    wide = replace(world, rules=rulebook(tolerance=tolerance_of("10.00", "0")))
    assert follow_rules(wide.store, wide.rules, "wide")
    assert not follow_rules(wide.store, wide.rules, "wide")
    assert stood(wide) == (State.BILLED, SEPTEMBER, {"met"})
    assert follow_rules(world.store, world.rules, "narrow")
    assert stood(world) == (State.REDEEMED, None, {"planned"})
    assert differences(world) == []


# the full run


def test_a_full_run_finds_a_row_that_is_not_what_the_store_comes_to_and_mends_it(world: World) -> None:
    for voucher in (DPS, OTHER):
        world.redeemed(voucher, "2021-09-01")
    world.take_in(invoice("I-1", SEPTEMBER, (DPS, 500_000)))
    assert differences(world) == []
    with world.store.write() as tx:
        tx.verdicts.forget([key_of(DPS)])
    [found] = differences(world)
    assert (found.key, found.stored, str(found.computed).partition("|")[0]) == (key_of(DPS), None, "billed")
    mend(world.store, world.rules, [found], instant("2021-10-10"))
    assert differences(world) == []


# periods


def closed(world: World, name: str = "2021-09", at: str = "2021-11-05") -> periods.ClosedNow:
    return periods.close_period(world.store, world.rules, name, teller(at, "the month is booked"))


def period(world: World, at: str = "2022-06-01") -> dict[str, Any]:
    [found] = world.reconciliation(at)["periods"]
    return found


def test_a_closed_period_keeps_its_figures_and_a_late_credit_note_shows_as_a_change_to_it(
    world: World,
) -> None:
    for voucher in (DPS, OTHER):
        world.redeemed(voucher, "2021-09-01")
    world.redeemed("DPS-2001", "2021-10-20")
    world.take_in(invoice("I-1", SEPTEMBER, (DPS, 500_000)))
    closed(world)
    frozen = period(world)
    assert (frozen["name"], frozen["until"], frozen["vouchers"], frozen["changes"]) == (
        "2021-09",
        "2021-09-30",
        2,
        [],
    )
    assert [(one["redeemed"], one["billed"]) for one in frozen["bridge"]] == [("10000.00", "5000.00")]
    credit = invoice("K-1", date(2021, 9, 20), (DPS, -500_000), kind="credit")
    with world.store.write() as tx:
        changes: list[Any] = []
        take_in(tx, world.rules, [credit], "k.csv", "b" * 64, None, instant("2021-11-20"), changes)
    assert [(one.voucher, one.period, one.was, one.now) for one in changes] == [
        (DPS, "2021-09", "billed, 5000.00 EUR billed, in full on 2021-09-10", "credited, 0.00 EUR billed")
    ]
    later = period(world)
    assert {name: later[name] for name in ("bridge", "sha256", "vouchers")} == {
        name: frozen[name] for name in ("bridge", "sha256", "vouchers")
    }
    assert [one["voucher"] for one in later["changes"]] == [DPS]
    changed = row(world, at="2022-06-01")
    assert changed["flags"] == ["prior-period"]
    assert changed["because"][-1].startswith(
        "prior period: 2021-09 was closed with it as billed, 5000.00 EUR"
    )
    [late] = [line for line in world.reconciliation("2022-06-01")["lines"] if line["invoice"] == "K-1"]
    assert (
        late["because"][-1] == "prior period: dated within 2021-09, which ended on 2021-09-30 and is closed"
    )
    assert row(world, OTHER, at="2022-06-01")["flags"] == []
    assert differences(world) == []


def test_the_next_close_takes_up_what_changed_and_holds_only_its_own_vouchers_figures(world: World) -> None:
    world.redeemed(DPS, "2021-09-01")
    closed(world)
    world.redeemed("DPS-2001", "2021-10-20", at="2021-11-06")
    world.take_in(invoice("I-1", SEPTEMBER, (DPS, 500_000)), at="2021-11-07")
    assert row(world, at="2022-06-01")["flags"] == ["prior-period"]
    closed(world, "2021-10", at="2021-11-08")
    assert row(world, at="2022-06-01")["flags"] == []
    found = world.reconciliation("2022-06-01")["periods"]
    assert [(one["name"], one["since"], one["vouchers"], one["bridge"][0]["redeemed"]) for one in found] == [
        ("2021-09", None, 1, "5000.00"),
        ("2021-10", "2021-09-30", 2, "5000.00"),
    ]


def test_a_period_that_is_opened_again_is_as_if_it_had_never_been_closed(world: World) -> None:
    world.redeemed(DPS, "2021-09-01")
    done = closed(world)
    world.take_in(invoice("I-1", SEPTEMBER, (DPS, 500_000)), at="2021-11-07")
    undone(world, done.decision.number, at="2021-11-08")
    assert "periods" not in world.reconciliation("2022-06-01")
    assert row(world, at="2022-06-01")["flags"] == []
    assert [one["name"] for one in world.reconciliation("2021-11-07T18:00")["periods"]] == ["2021-09"]
    assert closed(world, "2021-Q3", at="2021-11-09").period.until == date(2021, 9, 30)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("2021-11", "2021-11 is not over"),
        ("2021-13", "2021-13 is no period"),
        ("September", "September is no period"),
        ("2021-08", "everything up to 2021-09-30 is closed already"),
    ],
)
def test_what_is_no_period_or_not_over_or_closed_is_refused(world: World, name: str, said: str) -> None:
    closed(world)
    with pytest.raises(OperatorError) as refused:
        closed(world, name, at="2021-11-06")
    assert refused.value.what == said


@pytest.mark.parametrize(
    ("name", "last"),
    [
        ("2021-09", date(2021, 9, 30)),
        ("2021-12", date(2021, 12, 31)),
        ("2024-02", date(2024, 2, 29)),
        ("2021-Q4", date(2021, 12, 31)),
        ("2021", date(2021, 12, 31)),
        ("2021-09-15", date(2021, 9, 15)),
    ],
)
def test_a_period_ends_on_its_last_day(name: str, last: date) -> None:
    assert periods.end_of(name) == last


def test_the_whole_reconciliation_is_the_same_on_both_databases_whatever_was_decided(
    two_worlds: tuple[World, World],
) -> None:
    reports = []
    for world in two_worlds:
        for voucher in (DPS, OTHER, "DPS-1003"):
            world.redeemed(voucher, "2021-09-01")
        world.take_in(invoice("I-1", SEPTEMBER, (DPS, 400_000), (OTHER, 500_000), ("DPS-l003", 500_000)))
        world.take_in(invoice("I-9", SEPTEMBER, (OTHER, 7), supplier=FABRIKAM.id))
        matched(world, 3, "DPS-1003")
        about(world, Word.ACCEPT)
        decisions.unmatch_line(world.store, world.rules, 2, teller())
        about(world, Word.WRITE_OFF, OTHER)
        closed(world)
        undone(world, 2, at="2021-11-06")
        with world.store.read() as tx:
            reports.append(reconciliation(tx, world.rules, instant("2022-01-01"))[0])
    assert reports[0] == reports[1]
    assert [one["billing"] for one in reports[0]["vouchers"]] == ["short", "wrong-partner", "billed"]
