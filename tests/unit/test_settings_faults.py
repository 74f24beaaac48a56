"""A wrong configuration: every fault at once, each with file, key, value and remedy, and never a secret."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from voucherd.errors import ConfigurationError, Fault
from voucherd.settings import load
from voucherd.settings.refusal import shown

DESK = '[desk]\naddress = "vouchers@desk.example"\n'
PARTNER = '[[partners]]\nid = "{id}"\nname = "P"\naddresses = ["{address}"]\n'

Faults = Callable[..., list[Fault]]


@pytest.fixture
def faults(tmp_path: Path) -> Faults:
    def found(main: str, partners: str | None = None, **environ: str) -> list[Fault]:
        path = tmp_path / "voucherd.toml"
        path.write_text(main, encoding="utf-8")
        if partners is not None:
            (tmp_path / "partners.toml").write_text(partners, encoding="utf-8")
        with pytest.raises(ConfigurationError) as caught:
            load(path, environ)
        return caught.value.faults

    return found


def test_five_faults_give_five_lines_that_name_key_value_and_remedy(faults: Faults) -> None:
    main = (
        '[desk]\naddress = "vouchers.desk.example"\ntimezone = "Europe/Berlim"\npartners = "partners.toml"\n'
        '[reminders]\nsend_at = "9 o\'clock"\n'
        '[[mailboxes]]\nname = "in"\nurl = "imap4://v@imap.desk.example/INBOX"\n'
    )
    found = faults(main, PARTNER.format(id="a", address="a@a.example") + "digests = true\n")
    assert len(found) == 5
    lines = str(ConfigurationError(found)).splitlines()
    assert len(lines) == 5
    for line, key, value, remedy in zip(
        lines,
        ("desk.address", "desk.timezone", "mailboxes[0].url", "reminders.send_at", "partners[0].digests"),
        ("vouchers.desk.example", "Europe/Berlim", "imap4://v@imap.desk.example/INBOX", "9 o'clock", "true"),
        ("name@contoso.example", "Europe/Berlin", '"imap"', "09:00", '"digest"'),
        strict=True,
    ):
        assert key in line
        assert value in line
        assert remedy in line


@pytest.mark.parametrize(
    ("main", "key", "what", "remedy"),
    [
        (DESK + 'localle = "en"', "desk.localle", "is not a known key", 'did you mean "locale"?'),
        ("[dsek]\n" + DESK, "dsek", "is not a known key", 'did you mean "desk"?'),
        ("[store]\n", "desk", "is missing", "[desk]"),
        ('[desk]\nlocale = "en"', "desk.address", "is missing", "Voucher desk"),
        (
            DESK + 'plus_addressing = "perhaps"',
            "desk.plus_addressing",
            "neither true nor false",
            "without quotes",
        ),
        (DESK + "locale = 3", "desk.locale", "is not text", "quotes"),
        (DESK + 'locale = "kklingon"', "desk.locale", "is not a known locale", '"ko"'),
        (DESK + 'operators = "ops@desk.example"', "desk.operators", "is not a list", "brackets"),
        (DESK + 'operators = ["ops desk.example"]', "desk.operators[0]", "is not a mail address", "name@"),
        (DESK + 'programmes = ["planing-services"]', "desk.programmes[0]", "neither", '"planning-services"'),
        (DESK + "programmes = []", "desk.programmes", "has no entry", "at least one"),
        (DESK + '[store]\nurl = "mysql://v@db/x"', "store.url", "not known here", "sqlite"),
        (DESK + '[store]\nurl = "sqlite://"', "store.url", "names no file", "sqlite:///var"),
        (DESK + '[store]\nurl = "postgresql://v@db/x"', "store.url", "driver", "postgresql+psycopg"),
        (
            DESK + '[delivery]\nurl = "smtp://h.desk.example?tls=off"',
            "delivery.url",
            "another machine",
            "leave",
        ),
        (DESK + '[delivery]\nurl = "smtps://localhost?tls=off"', "delivery.url", "not known", "smtp://"),
        (DESK + '[delivery]\nurl = "smtp://v@h:99999"', "delivery.url", "is not a URL", "port"),
        (
            DESK + '[delivery]\nurl = "smtp://v@h.example"',
            "delivery.password_file",
            "is missing",
            "VOUCHERD_DELIVERY",
        ),
        (DESK + "[delivery]\nrate_per_minute = 0", "delivery.rate_per_minute", "out of range", "at least 1"),
        (DESK + "[reminders]\nredeem = [7, -1]", "reminders.redeem", "days before", "from 0"),
        (DESK + "[reminders]\nredeem = [7, 3, 7]", "reminders.redeem", "has 7 twice", "once"),
        (DESK + "[reminders]\nredeem = [7, 1.5]", "reminders.redeem[1]", "whole number", "30"),
        (DESK + "[reminders]\nescalate_at = true", "reminders.escalate_at", "is not a number", "whole"),
        (DESK + '[reminders]\nsend_at = "24:00"', "reminders.send_at", "time of day", "23:59"),
        (
            DESK + "[reconciliation]\ntolerance_amount = 0.02",
            "reconciliation.tolerance_amount",
            "exact",
            '"0.02"',
        ),
    ],
)
def test_a_fault_names_what_is_wrong_and_what_to_write(
    faults: Faults, main: str, key: str, what: str, remedy: str
) -> None:
    (fault,) = faults(main)
    assert fault.key == key
    assert what in fault.what
    assert remedy in fault.remedy


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("imaps://imap.desk.example/INBOX", "names no user"),
        ("imap://v@imap.desk.example/INBOX?tls=off", "question mark"),
        ("imaps://v@/INBOX", "names no host"),
        ("maildir://relative/path", "names no directory"),
        ("imaps://v@h.example/IN\\nBOX", "is not a URL"),
        ("INBOX", "does not start with a scheme"),
    ],
)
def test_a_mailbox_url_that_cannot_be_used_is_refused(faults: Faults, url: str, what: str) -> None:
    (fault,) = faults(f'{DESK}[[mailboxes]]\nname = "in"\nurl = "{url}"\n')
    assert fault.key == "mailboxes[0].url"
    assert what in fault.what


def test_a_password_in_a_url_is_refused_and_never_shown(faults: Faults) -> None:
    main = (
        f'{DESK}[[mailboxes]]\nname = "in"\nurl = "imaps://v:canary-1@h.example/INBOX"\npassword = "canary-2"\n'
        '[delivery]\nurl = "smtp://v:canary-3@h.example"\n'
        '[store]\nurl = "postgresql+psycopg://v:canary-4@h.example/db"\npasword = "canary-5"\n'
    )
    found = faults(main)
    assert {each.key for each in found} == {
        "mailboxes[0].url",
        "mailboxes[0].password",
        "delivery.url",
        "store.url",
        "store.pasword",
    }
    assert "canary" not in str(ConfigurationError(found)).replace('store.pasword = "canary-5"', "")
    assert all("password_file" in each.remedy for each in found)


@given(secret=st.text("abcdefgh123:@%/?#", min_size=3, max_size=20))
def test_no_form_of_a_password_in_a_url_is_shown(secret: str) -> None:
    assert f"XX{secret}XX" not in shown("delivery.url", f"smtp://user:XX{secret}XX@h.example")


def test_partners_share_no_id_address_alias_or_domain(faults: Faults) -> None:
    rows = (
        PARTNER.format(id="a", address="x@a.example")
        + 'domains = ["a.example"]\naliases = ["v+a@desk.example"]\n'
        + PARTNER.format(id="A", address="X@a.example")
        + 'domains = ["A.example"]\naliases = ["v+a@desk.example", "vouchers@desk.example"]\n'
    )
    found = faults(DESK + 'partners = "partners.toml"\n', rows)
    assert [each.key for each in found] == [
        "partners[1].id",
        "partners[1].addresses[0]",
        "partners[1].aliases[0]",
        "partners[1].aliases[1]",
        "partners[1].domains[0]",
    ]
    assert "the desk" in found[3].what


def test_a_partner_needs_a_known_country_and_zone(faults: Faults) -> None:
    rows = PARTNER.format(id="a", address="x@a.example") + 'country = "XQ"\ntimezone = "../etc"\n'
    assert [each.key for each in faults(DESK + 'partners = "partners.toml"\n', rows)] == [
        "partners[0].timezone",
        "partners[0].country",
    ]


def test_mailboxes_have_names_of_their_own(faults: Faults) -> None:
    box = '[[mailboxes]]\nname = "{}"\nurl = "maildir:x"\n'
    (fault,) = faults(DESK + box.format("a-b") + box.format("A.b"))
    assert fault.key == "mailboxes[1].name"
    assert "mailboxes[0]" in fault.what


def test_processed_and_review_are_two_folders(faults: Faults) -> None:
    (fault,) = faults(f'{DESK}[[mailboxes]]\nname = "a"\nurl = "maildir:x"\nreview = "Processed"\n')
    assert fault.key == "mailboxes[0].review"


def test_a_syntax_error_names_its_line(faults: Faults, tmp_path: Path) -> None:
    (fault,) = faults("[desk]\naddress = vouchers\n")
    assert fault.file == str(tmp_path / "voucherd.toml")
    assert fault.key.startswith("line 2")
    assert "is not TOML" in fault.what


def test_a_missing_file_is_one_fault(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"absent\.toml: there is no such file"):
        load(tmp_path / "absent.toml", {})


def test_a_missing_partners_file_is_named_by_the_key_that_names_it(faults: Faults, tmp_path: Path) -> None:
    (fault,) = faults(DESK + 'partners = "absent.toml"\n')
    assert fault.key == "desk.partners"
    assert fault.file == str(tmp_path / "absent.toml")


def test_a_file_that_is_not_utf_8_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "voucherd.toml"
    path.write_bytes(b"[desk]\n# B\xfcro\n")
    with pytest.raises(ConfigurationError, match="line 2: is not UTF-8"):
        load(path, {})


@pytest.mark.parametrize(
    ("name", "value", "what"),
    [
        ("VOUCHERD_REMINDERS__SEND_AT", "late", "time of day"),
        ("VOUCHERD_REMINDERS__SENT_AT", "09:00", "not a known key"),
        ("VOUCHERD_REMINDERS__REDEEM", "30,14", "JSON"),
    ],
)
def test_a_wrong_variable_is_blamed_itself(faults: Faults, name: str, value: str, what: str) -> None:
    (fault,) = faults(DESK, **{name: value})
    assert (fault.file, fault.key) == ("environment", name)
    assert what in fault.what


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    data=st.dictionaries(
        st.sampled_from(["desk", "store", "mailboxes", "delivery", "reminders", "reconciliation", "x"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.dates(),
            lambda inner: (
                st.lists(inner, max_size=2)
                | st.dictionaries(
                    st.sampled_from(["url", "name", "address", "partners", "programmes", "redeem"]),
                    inner,
                    max_size=3,
                )
            ),
            max_leaves=6,
        ),
        max_size=4,
    )
)
def test_whatever_a_file_holds_it_is_judged_and_never_breaks(
    data: dict[str, object], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("voucherd.settings.reading.read_toml", lambda _path: data)
    try:
        load(tmp_path / "voucherd.toml", {})
    except ConfigurationError as error:
        assert all(fault.what and fault.remedy for fault in error.faults)  # noqa: PT017
