"""What is done with a message: recorded, ignored or put before a person, each with the reason.

Every message here is synthetic; its reading is given, so that only the decision is looked at.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from tests.builders import VOUCHER, at, day, partner, rulebook
from voucherd.domain.events import Role
from voucherd.domain.handling import Gate, Handling, handle
from voucherd.domain.message import Address, Attachment, Candidate, Hop, ParsedMail, Reading, Unreadable
from voucherd.domain.partner import Partner
from voucherd.domain.rulebook import Rulebook

NOW = at("2021-06-22 12:00", "Europe/Berlin")
BORDER = "mx.desk.example"
GUARDED = Gate("vouchers", authserv_id=BORDER)
TRUSTED = Gate("vouchers", require_authentication=False)
LEAVING = replace(GUARDED, leave_unrecognised=True)
BY_HAND = Gate("by hand", by_hand=True)
DESK = "vouchers@desk.example"
ANNA = "anna@contoso.example"
CUSTOMER = "admin@customer.example"
ROBOT = "noreply@email.microsoft.com"
BOTH = (partner("contoso"), partner("fabrikam"))
RULES = rulebook(BOTH)


def mail(
    sender: str = ANNA, to: tuple[str, ...] = (DESK,), passed: bool = True, **changes: object
) -> ParsedMail:
    """A mail of a person that our border found to be from the sender's domain, unless told otherwise."""
    domain = sender.rpartition("@")[2]
    results = f"{BORDER}; dmarc={'pass' if passed else 'fail'} header.from={domain}"
    made = ParsedMail(
        headers=(("authentication-results", results),),
        message_id=f"synthetic@{domain}",
        from_=(Address(sender, "Anna Example"),),
        to=tuple(Address(one) for one in to),
        cc=(),
        reply_to=(),
        subject="Fwd: Your voucher",
        date=datetime(2021, 6, 22, 9, 30, tzinfo=timezone(timedelta(hours=2))),
        date_raw="Tue, 22 Jun 2021 09:30:00 +0200",
        text="",
        html="",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def headed(by: ParsedMail, *headers: tuple[str, str]) -> ParsedMail:
    return replace(by, headers=(*by.headers, *headers))


def hop(to: tuple[str, ...] = (CUSTOMER,), cc: tuple[str, ...] = (), **changes: object) -> Hop:
    """The programme's mail to the customer, as found inside."""
    made = Hop(
        from_addr=ROBOT,
        from_name="Planning Services",
        to=to,
        cc=cc,
        date=datetime(2021, 6, 21, 8, 0, tzinfo=UTC),
        date_raw="Mon, 21 Jun 2021 08:00:00 +0000",
        subject="Your voucher",
        how="inline, outlook headers (en)",
        text="",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def stated(fact: str, value: str, block: int = 0, text: str = "") -> Candidate:
    return Candidate(fact, value, text or value, "text", f'after the label "{fact}"', block, 10, 20)


VOUCHER_ID = stated("voucher_id", VOUCHER)


def reading(
    of: ParsedMail | None = None,
    *candidates: Candidate,
    hops: tuple[Hop, ...] = (hop(),),
    kind: str = "assigned",
    problems: tuple[str, ...] = (),
) -> Reading:
    """A forwarded voucher mail with one voucher, and the facts named."""
    return Reading(
        mail=of or mail(),
        hops=hops,
        original=hops[-1] if hops else None,
        candidates=(VOUCHER_ID, *candidates) if kind == "assigned" else candidates,
        programme="planning-services",
        kind=kind,
        language="en",
        problems=problems,
    )


def decide(
    what: Reading | Unreadable, gate: Gate = GUARDED, rules: Rulebook = RULES, now: datetime = NOW
) -> Handling:
    return handle(what, gate, rules, now)


# --- The ordinary way


def test_a_forwarded_voucher_mail_is_recorded_for_the_partner_that_forwards_it() -> None:
    done = decide(reading(mail(), stated("days", "5"), stated("assigned_on", "2021-06-21")))
    assert (done.outcome, done.code, done.kind) == ("recorded", "", "assigned")
    assert done.reason == f"voucher {VOUCHER} handed in for contoso"
    assert done.partner == BOTH[0]
    assert (done.sender.address, done.sender.role, done.sender.authenticated) == (ANNA, Role.PARTNER, True)
    assert done.answerable
    assert done.handed_in_on == day("2021-06-22")
    (one,) = done.hand_ins
    assert (one.programme, one.voucher, one.assigned_on) == ("planning-services", VOUCHER, day("2021-06-21"))
    assert one.facts == {"days": "5", "assigned_on": "2021-06-21", "customer_admin": CUSTOMER}
    assert one.spans["days"] == '5 (text 10-20, after the label "days")'
    assert one.spans["customer_admin"] == "To of the voucher mail"


def test_one_mail_may_hand_in_several_vouchers_each_with_its_own_facts() -> None:
    second = stated("voucher_id", "SYNTH-0002", 1)
    done = decide(reading(mail(), stated("days", "5"), second, stated("days", "3", 1)))
    assert [(one.voucher, one.facts["days"]) for one in done.hand_ins] == [
        (VOUCHER, "5"),
        ("SYNTH-0002", "3"),
    ]
    assert done.reason == f"voucher {VOUCHER}, SYNTH-0002 handed in for contoso"


def test_without_a_stated_date_the_voucher_mails_own_stands_for_the_assignment() -> None:
    (one,) = decide(reading()).hand_ins
    assert one.assigned_on == day("2021-06-21")
    assert "assigned_on" not in one.facts
    assert one.spans["assigned_on"] == "date of the voucher mail: Mon, 21 Jun 2021 08:00:00 +0000"


def test_and_where_that_shows_none_either_the_mail_that_handed_it_in() -> None:
    (one,) = decide(reading(hops=(hop(date=None, date_raw=""),))).hand_ins
    assert one.assigned_on == day("2021-06-22")
    assert one.spans["assigned_on"] == "date of the mail that handed it in"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (datetime(2021, 6, 21, 22, 30, tzinfo=UTC), "2021-06-22"),  # half past midnight at the desk
        (datetime(2021, 6, 20, 9, 0, tzinfo=UTC), "2021-06-20"),
        (datetime(2021, 6, 25, 9, 0, tzinfo=UTC), "2021-06-22"),  # a clock that is wrong: today
        (datetime(2021, 6, 20, 9, 0), "2021-06-22"),  # noqa: DTZ001 (a header without an offset)
        (None, "2021-06-22"),
    ],
)
def test_a_voucher_is_handed_in_on_the_desks_date_of_the_mail_never_in_the_future(
    written: datetime | None, expected: str
) -> None:
    assert decide(reading(mail(date=written))).handed_in_on == day(expected)


# --- Which partner


def partner_of(what: Reading, rules: Rulebook = RULES, gate: Gate = GUARDED) -> str | None:
    done = decide(what, gate, rules)
    if done.outcome == "review":
        assert done.code == "which-partner"
        assert done.reason == "which partner? The mail went to no partner's alias and names none"
        return None
    assert done.partner is not None
    return done.partner.id


FABRIKAM_ALIAS = "vouchers+fabrikam@desk.example"


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        # 1. whom the mail was addressed to, whoever sent it and whatever it names
        (mail(to=(FABRIKAM_ALIAS,)), "fabrikam"),
        (mail(cc=(Address(FABRIKAM_ALIAS),)), "fabrikam"),
        (headed(mail(), ("delivered-to", FABRIKAM_ALIAS)), "fabrikam"),
        (headed(mail(), ("x-original-to", "Vouchers+Fabrikam@desk.example")), "fabrikam"),
        (headed(mail(), ("envelope-to", f"<{FABRIKAM_ALIAS}>")), "fabrikam"),
        # 3. whose sender it is
        (mail(ANNA), "contoso"),
        (mail("bob@fabrikam.example"), "fabrikam"),
        # otherwise a person must say
        (mail(CUSTOMER), None),
        (mail(ROBOT), None),
        (mail(to=(FABRIKAM_ALIAS, "vouchers+contoso@desk.example")), None),
    ],
)
def test_a_voucher_belongs_to_the_alias_then_to_whom_the_mail_names_then_to_the_sender(
    sent: ParsedMail, expected: str | None
) -> None:
    assert partner_of(reading(sent)) == expected


@pytest.mark.parametrize(
    ("sent", "inside", "expected"),
    [
        # 2. whom the voucher mail names, before the sender
        (mail(ANNA), hop(cc=("sales@fabrikam.example",)), "fabrikam"),
        (mail(CUSTOMER), hop(cc=("sales@fabrikam.example",)), "fabrikam"),
        (mail(CUSTOMER), hop(to=("vouchers@fabrikam.example", CUSTOMER)), "fabrikam"),
        # but after the alias
        (mail(to=("vouchers+contoso@desk.example",)), hop(cc=("sales@fabrikam.example",)), "contoso"),
        # two that are named settle nothing
        (mail(CUSTOMER), hop(cc=("sales@fabrikam.example", ANNA)), None),
        (mail(ANNA), hop(cc=("sales@fabrikam.example", ANNA)), "contoso"),
    ],
)
def test_the_partner_that_the_voucher_mail_names_counts_before_the_one_that_sent_it(
    sent: ParsedMail, inside: Hop, expected: str | None
) -> None:
    assert partner_of(reading(sent, hops=(inside,))) == expected


def test_where_only_one_partner_is_configured_it_is_that_one() -> None:
    assert partner_of(reading(mail(CUSTOMER)), rulebook(BOTH[:1])) == "contoso"


def test_an_operators_own_mail_names_a_partner_or_asks() -> None:
    assert partner_of(reading(mail("ops@desk.example"))) is None
    assert partner_of(reading(mail("ops@desk.example", to=(FABRIKAM_ALIAS,)))) == "fabrikam"


# --- The customer's administrator


def admin_of(what: Reading) -> str | None:
    (one,) = decide(what, rules=rulebook(BOTH[:1])).hand_ins
    return one.facts.get("customer_admin")


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ((CUSTOMER,), CUSTOMER),
        ((CUSTOMER, "boss@customer.example"), CUSTOMER),
        (("savoucher@msdirectservices.com", CUSTOMER), CUSTOMER),
        (("team@email.microsoft.com", CUSTOMER), CUSTOMER),
        ((DESK, CUSTOMER), CUSTOMER),
        (("vouchers+contoso@desk.example", CUSTOMER), CUSTOMER),
        (("vouchers+anything@desk.example", CUSTOMER), CUSTOMER),
        (("ops@desk.example", CUSTOMER), CUSTOMER),
        ((ANNA, CUSTOMER), CUSTOMER),
        ((ANNA, DESK), None),
        ((), None),
    ],
)
def test_the_administrator_is_the_first_to_that_is_neither_desk_nor_partner_nor_programme(
    to: tuple[str, ...], expected: str | None
) -> None:
    assert admin_of(reading(hops=(hop(to=to),))) == expected


def test_where_the_voucher_mail_names_no_customer_the_customer_that_handed_it_in_is_the_administrator() -> (
    None
):
    inside = (hop(to=(DESK,)),)
    assert admin_of(reading(mail("clerk@customer.example"), hops=inside)) == "clerk@customer.example"
    assert admin_of(reading(mail(ANNA), hops=inside)) is None
    assert admin_of(reading(mail("ops@desk.example"), hops=inside)) is None


def test_a_mail_of_the_programme_to_the_customer_itself_names_the_administrator_in_its_to() -> None:
    assert admin_of(reading(mail(ROBOT, to=(CUSTOMER, DESK)), hops=())) == CUSTOMER


def test_an_address_that_only_stands_in_the_text_is_no_administrator() -> None:
    written = stated("customer_admin", "someone@else.example")
    assert admin_of(reading(mail(), written, hops=(hop(to=()),))) is None


# --- What can be read in more than one way, or cannot be true


def refused(what: Reading, now: datetime = NOW, rules: Rulebook = RULES) -> str:
    done = decide(what, now=now, rules=rules)
    assert (done.outcome, done.code, done.hand_ins) == ("review", "ambiguous", ())
    return done.reason


def test_a_date_that_can_be_read_in_two_ways_goes_to_a_person() -> None:
    both = (
        stated("assigned_on", "2021-05-06", text="05/06/2021"),
        stated("assigned_on", "2021-06-05", text="05/06/2021"),
    )
    assert refused(reading(mail(), *both)) == (
        f'{VOUCHER}: assigned_on "05/06/2021" can be read as 2021-05-06 or 2021-06-05'
    )


def test_what_the_reading_could_not_settle_goes_to_a_person() -> None:
    assert refused(reading(problems=("one thing", "and another"))) == "one thing; and another"


def test_an_assignment_in_the_future_goes_to_a_person() -> None:
    assert refused(reading(mail(), stated("assigned_on", "2021-06-23"))) == (
        f"{VOUCHER} is dated in the future: assigned on 2021-06-23"
    )


def test_one_voucher_of_the_future_keeps_the_whole_mail_back() -> None:
    second = (stated("voucher_id", "SYNTH-0002", 1), stated("assigned_on", "2021-07-01", 1))
    assert "SYNTH-0002" in refused(reading(mail(), stated("assigned_on", "2021-06-21"), *second))


@pytest.mark.parametrize(
    ("where", "now", "recorded"),
    [
        ("Asia/Seoul", "2021-06-21 23:30", True),  # half past six of the 22nd in Seoul
        ("Asia/Seoul", "2021-06-21 16:00", False),
        ("America/St_Johns", "2021-06-21 23:30", False),
        ("America/St_Johns", "2021-06-22 00:30", True),  # still the 21st there, but today at the desk
    ],
)
def test_what_is_today_at_the_desk_or_where_the_partner_works_is_not_the_future(
    where: str, now: str, recorded: bool
) -> None:
    rules = rulebook([partner(timezone=where)])
    done = decide(
        reading(mail(), stated("assigned_on", "2021-06-22")), rules=rules, now=at(now, "Europe/Berlin")
    )
    assert (done.outcome == "recorded") is recorded


def test_a_voucher_that_expires_before_it_was_assigned_goes_to_a_person() -> None:
    dates = (stated("assigned_on", "2021-06-21"), stated("expires_on", "2021-06-20"))
    assert refused(reading(mail(), *dates)) == (
        f"{VOUCHER} expires on 2021-06-20, before it was assigned on 2021-06-21"
    )


# --- Who stands behind it


@pytest.mark.parametrize(
    ("what", "gate"),
    [
        (reading(mail(passed=False)), GUARDED),
        (reading(mail(headers=())), GUARDED),
        (reading(mail()), replace(GUARDED, authserv_id=None)),
        (reading(mail()), replace(GUARDED, authserv_id="mx.other.example")),
        (reading(mail(from_=())), GUARDED),
        (reading(mail(from_=(Address(ANNA), Address(CUSTOMER)))), GUARDED),
        (reading(mail(from_=())), TRUSTED),
        (reading(mail(from_=(Address(ANNA), Address(CUSTOMER)))), TRUSTED),
    ],
)
def test_a_voucher_mail_that_nobody_stands_behind_changes_nothing(what: Reading, gate: Gate) -> None:
    done = decide(what, gate)
    assert (done.outcome, done.code, done.kind) == ("review", "unauthenticated", "assigned")
    assert (done.sender.authenticated, done.sender.role, done.sender.partner) == (False, Role.NOBODY, None)
    assert done.hand_ins == ()
    assert done.reason == done.sender.why != ""


def test_an_unauthenticated_mail_is_not_even_looked_into_for_its_partner() -> None:
    assert decide(reading(mail(CUSTOMER, passed=False), problems=("unclear",))).code == "unauthenticated"


def test_a_trusted_mailbox_takes_the_from_as_it_stands() -> None:
    done = decide(reading(mail(passed=False)), TRUSTED)
    assert done.outcome == "recorded"
    assert done.sender.why == "mailbox vouchers is trusted (require_authentication = false)"


def test_what_an_operator_hands_in_is_the_operators_word() -> None:
    done = decide(reading(mail(passed=False, to=(FABRIKAM_ALIAS,))), BY_HAND)
    assert (done.outcome, done.sender.role, done.sender.partner) == ("recorded", Role.OPERATOR, None)
    assert done.partner == BOTH[1]
    assert not done.answerable  # the command itself says what was recorded


def test_authority_is_the_forwarders_and_never_that_of_the_mail_inside() -> None:
    done = decide(reading(mail("someone@else.example", passed=False)))
    assert (done.outcome, done.code) == ("review", "unauthenticated")


# --- Mail that no person wrote


@pytest.mark.parametrize(
    "header",
    [
        ("auto-submitted", "auto-generated"),
        ("auto-submitted", "auto-forwarded"),
        ("precedence", "bulk"),
        ("precedence", "list"),
        ("list-id", "<vouchers.customer.example>"),
        ("list-unsubscribe", "<mailto:leave@customer.example>"),
    ],
)
def test_a_voucher_mail_that_a_programme_or_a_rule_sent_on_is_recorded_and_not_answered(
    header: tuple[str, str],
) -> None:
    done = decide(reading(headed(mail(), header)))
    assert (done.outcome, done.kind, len(done.hand_ins)) == ("recorded", "assigned", 1)
    assert not done.answerable


@pytest.mark.parametrize(
    ("what", "code"),
    [
        (reading(headed(mail(passed=False), ("auto-submitted", "auto-forwarded"))), "unauthenticated"),
        (reading(headed(mail(CUSTOMER), ("auto-submitted", "auto-generated"))), "which-partner"),
        (reading(headed(mail(), ("precedence", "list")), problems=("unclear",)), "ambiguous"),
    ],
)
def test_nor_is_it_dropped_where_a_person_must_look(what: Reading, code: str) -> None:
    done = decide(what)
    assert (done.outcome, done.code, done.answerable) == ("review", code, False)


@pytest.mark.parametrize(
    ("sent", "rule"),
    [
        (headed(mail(), ("auto-submitted", "auto-replied")), "auto-submitted: auto-replied (RFC 3834)"),
        (headed(mail(), ("return-path", "<>")), "null return-path (RFC 3834)"),
        (headed(mail(), ("x-voucherd", "1")), "our own mail (X-Voucherd)"),
        (mail("mailer-daemon@mx.example"), "from mailer-daemon (a delivery report)"),
        (mail(DESK), "our own mail (From is the desk's address)"),
        (headed(mail(), ("x-autoreply", "yes")), "x-autoreply: yes (an answering machine's header)"),
    ],
)
def test_a_bounce_an_answering_machine_and_our_own_mail_are_ignored_even_with_a_voucher_in_them(
    sent: ParsedMail, rule: str
) -> None:
    done = decide(reading(sent))
    assert (done.outcome, done.code, done.kind, done.reason) == ("ignored", "", "automatic", rule)
    assert (done.hand_ins, done.answerable) == ((), False)


def test_machine_mail_without_a_voucher_needs_no_authentication_to_be_ignored() -> None:
    news = headed(mail(passed=False), ("list-id", "<news.example>"))
    done = decide(reading(news, kind="other"))
    assert (done.outcome, done.kind) == ("ignored", "automatic")


def test_what_an_operator_hands_in_is_never_a_machines() -> None:
    sent = headed(mail(to=(FABRIKAM_ALIAS,)), ("auto-submitted", "auto-replied"))
    assert decide(reading(sent), BY_HAND).outcome == "recorded"


# --- What is not recognised


def test_mail_without_a_voucher_goes_to_a_person() -> None:
    done = decide(reading(kind="other"))
    assert (done.outcome, done.code, done.reason) == (
        "review",
        "no-voucher-id",
        "no voucher ID was recognised",
    )


def test_a_voucher_mail_without_an_id_is_no_hand_in() -> None:
    unnamed = replace(reading(), candidates=(stated("days", "5"),))
    assert decide(unnamed).code == "no-voucher-id"


def test_a_picture_of_a_voucher_says_why_nothing_was_found() -> None:
    assert "nothing but a picture" in decide(reading(mail(images_only=True), kind="other")).reason


def test_a_mail_that_is_not_recognised_says_as_well_when_nobody_stands_behind_it() -> None:
    done = decide(reading(mail(passed=False), kind="other"))
    assert done.code == "no-voucher-id"
    assert "the sender is not authenticated" in done.reason


def test_a_shared_mailbox_keeps_what_is_not_recognised_where_it_is() -> None:
    done = decide(reading(kind="other"), LEAVING)
    assert (done.outcome, done.code) == ("ignored", "")
    assert done.reason == "left untouched: no voucher ID was recognised"


@pytest.mark.parametrize(
    ("what", "code"),
    [
        (reading(mail(passed=False)), "unauthenticated"),
        (reading(mail(CUSTOMER)), "which-partner"),
        (reading(problems=("unclear",)), "ambiguous"),
        (Unreadable("too many parts"), "unreadable"),
        (Unreadable("40 MB", "too-large"), "too-large"),
    ],
)
def test_but_what_is_a_voucher_mail_or_cannot_be_read_goes_to_a_person_there_too(
    what: Reading | Unreadable, code: str
) -> None:
    done = decide(what, LEAVING)
    assert (done.outcome, done.code) == ("review", code)


@pytest.mark.parametrize("kind", ["reserved", "redeemed", "payment"])
def test_a_notice_is_handed_on_with_what_it_says_to_where_the_ledger_is(kind: str) -> None:
    done = decide(reading(mail(), VOUCHER_ID, kind=kind))
    assert (done.outcome, done.code, done.kind) == ("recorded", "", kind)
    (notice,) = done.notices
    assert (notice.voucher, notice.on, notice.by_programme) == (VOUCHER, day("2021-06-21"), True)
    assert notice.spans["on"] == "no date stated: the date of the notice, Mon, 21 Jun 2021 08:00:00 +0000"


def test_a_notice_of_nobody_known_is_put_before_a_person() -> None:
    done = decide(reading(mail(passed=False), VOUCHER_ID, kind="reserved"))
    assert (done.outcome, done.code, done.notices) == ("review", "unauthenticated", ())


def test_a_notice_that_names_no_voucher_is_put_before_a_person() -> None:
    done = decide(reading(mail(), kind="reserved"))
    assert (done.code, done.reason) == (
        "no-voucher-id",
        "a notice that a voucher was reserved names no voucher",
    )


def test_the_programmes_robot_may_send_a_notice_and_an_answering_machine_none() -> None:
    robot = headed(mail(ROBOT), ("auto-submitted", "auto-generated"))
    machine = headed(mail(ROBOT), ("auto-submitted", "auto-replied"))
    heard = decide(reading(robot, VOUCHER_ID, hops=(), kind="redeemed"))
    assert (heard.outcome, heard.answerable) == ("recorded", False)
    assert decide(reading(machine, VOUCHER_ID, hops=(), kind="redeemed")).outcome == "ignored"


@pytest.mark.parametrize("kind", ["reply", "assigned", "other"])
def test_a_line_that_answers_a_mail_of_ours_comes_before_what_is_quoted(kind: str) -> None:
    ours = headed(mail(), ("in-reply-to", "<reminder.1@desk.example>"))
    done = decide(replace(reading(ours, VOUCHER_ID, kind=kind), own=("reserved 2021-06-21",)))
    assert (done.outcome, done.kind) == ("recorded", "reply")
    assert done.reply is not None
    assert done.reply.answers_to == ("<reminder.1@desk.example>",)
    assert [one.text for one in done.reply.said] == ["reserved 2021-06-21"]


def test_the_reply_address_ties_an_answer_wherever_the_mail_shows_it() -> None:
    token = "vouchers+r.abc@desk.example"
    for of in (mail(to=(token,)), headed(mail(), ("delivered-to", f"<{token.upper()}>"))):
        done = decide(replace(reading(of, kind="reply"), own=("redeemed",)))
        assert done.reply is not None
        assert done.reply.tokens == ("abc",)


def test_an_answer_of_nobody_known_is_put_before_a_person() -> None:
    ours = headed(mail(passed=False), ("in-reply-to", "<reminder.1@desk.example>"))
    done = decide(replace(reading(ours, kind="reply"), own=("redeemed",)))
    assert (done.outcome, done.code, done.reply) == ("review", "unauthenticated", None)


def test_an_answer_to_a_mail_of_ours_that_says_nothing_known_is_an_unknown_reply() -> None:
    ours = headed(mail(), ("in-reply-to", "<reminder.1@desk.example>"))
    theirs = headed(mail(), ("in-reply-to", "<other.1@customer.example>"))
    assert decide(reading(ours, kind="reply")).code == "unknown-reply"
    assert decide(reading(theirs, kind="reply")).code == "no-voucher-id"


@pytest.mark.parametrize("code", ["unreadable", "too-large"])
def test_a_message_that_cannot_be_read_goes_to_a_person_with_the_reason(code: str) -> None:
    done = decide(Unreadable("the reason", code))
    assert (done.outcome, done.code, done.reason, done.kind) == ("review", code, "the reason", "unreadable")
    assert done.sender.role is Role.NOBODY


# --- Invoices

SHEET = Attachment("invoices.csv", "text/csv", b"synthetic")


def invoice(sender: str, passed: bool = True) -> Reading:
    return reading(mail(sender, passed=passed, attachments=(SHEET,)), kind="invoice")


@pytest.mark.parametrize(
    ("sender", "who"), [(ANNA, BOTH[0]), ("bob@fabrikam.example", BOTH[1]), ("ops@desk.example", None)]
)
def test_an_invoice_comes_from_a_partner_for_itself_or_from_an_operator(
    sender: str, who: Partner | None
) -> None:
    done = decide(invoice(sender))
    assert (done.outcome, done.kind, done.partner) == ("recorded", "invoice", who)
    assert done.invoices == (SHEET,)


def test_the_files_of_the_programme_are_looked_into_for_what_was_paid() -> None:
    """What they say decides: an invoice among them is refused where it is read."""
    done = decide(invoice(ROBOT))
    assert (done.outcome, done.invoices, done.partner) == ("recorded", (SHEET,), None)
    assert done.reason == "files of the programme: what was paid is taken in, an invoice is not"


@pytest.mark.parametrize("sender", [CUSTOMER, "someone@else.example"])
def test_nobody_else_may_hand_in_an_invoice(sender: str) -> None:
    done = decide(invoice(sender))
    assert (done.outcome, done.code, done.invoices) == ("review", "not-entitled", ())
    assert sender in done.reason


def test_an_invoice_that_nobody_stands_behind_changes_nothing() -> None:
    done = decide(invoice(ANNA, passed=False))
    assert (done.outcome, done.code, done.invoices) == ("review", "unauthenticated", ())
