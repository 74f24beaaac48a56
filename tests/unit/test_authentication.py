"""Whose mail it is: what our border found counts, and nothing that anyone else can have written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voucherd.domain.authentication import Authentication, authenticate, read_results
from voucherd.domain.domain_names import ascii_form, suspicious
from voucherd.domain.message import Address, ParsedMail

BORDER = "mx.desk.example"
OURS = ("Authentication-Results", f"{BORDER}; dmarc=pass header.from=contoso.example")
OUR_HOP = (
    "Received",
    f"from out.contoso.example (out.contoso.example [192.0.2.25]) by {BORDER} with ESMTPS id 77; Mon, 3 May 2021",
)
INNER_HOP = ("Received", f"from {BORDER} by imap.desk.example with LMTP; Mon, 3 May 2021 10:00:00 +0200")
THEIR_HOP = (
    "Received",
    "from pc.contoso.example by out.contoso.example with ESMTPA; Mon, 3 May 2021 09:59:59 +0200",
)


def mail(*headers: tuple[str, str], from_: tuple[str, ...] = ("sam@contoso.example",)) -> ParsedMail:
    """A synthetic mail of which only headers and senders matter."""
    return ParsedMail(
        headers=tuple((name.lower(), value) for name, value in headers),
        message_id="1@contoso.example",
        from_=tuple(Address(addr) for addr in from_),
        to=(),
        cc=(),
        reply_to=(),
        subject="",
        date=None,
        date_raw="",
        text="",
        html="",
    )


def results(value: str) -> tuple[str, str]:
    return ("Authentication-Results", value)


@pytest.mark.parametrize(
    "headers",
    [
        [OURS],
        [OURS, OUR_HOP],
        [OURS, OUR_HOP, THEIR_HOP],
        [OUR_HOP, OURS, THEIR_HOP],
        [INNER_HOP, OURS, OUR_HOP, THEIR_HOP],
        [INNER_HOP, OUR_HOP, OURS, THEIR_HOP],
        [results("mx.other.example; dmarc=fail header.from=contoso.example"), OURS, OUR_HOP],
        [results(f"{BORDER} 1; dmarc=pass header.from=contoso.example")],
        [results(f'"{BORDER}"; dmarc=pass header.from=contoso.example')],
        [results(f"{BORDER}; dmarc=pass (p=REJECT sp=NONE (nested; dmarc=fail)) header.from=Contoso.Example")],
        [results(f"{BORDER};dkim=pass header.d=a.example header.b=aB3=;  dmarc = pass header.from=contoso.example")],
        [results(f"{BORDER}; spf=fail smtp.mailfrom=bounce@x.example; dmarc=pass header.from=contoso.example")],
        [results(f'{BORDER}; dmarc=pass reason="good; \\"x\\"" header.from=contoso.example;')],
        [results(f"{BORDER}; dmarc/1=PASS header.from=contoso.example policy.dmarc=reject")],
    ],
)  # fmt: skip
def test_a_pass_of_our_own_border_authenticates_the_sender(headers: list[tuple[str, str]]) -> None:
    assert authenticate(mail(*headers), BORDER) == Authentication(
        True, Address("sam@contoso.example"), f"dmarc=pass for contoso.example by {BORDER}"
    )


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ([], f"no Authentication-Results by {BORDER}"),
        ([results("mx.evil.example; dmarc=pass header.from=contoso.example")], "no Authentication-Results by"),
        ([results("MX.desk.example; dmarc=pass header.from=contoso.example")], "the case differs, a forgery"),
        ([results("Mx.Desk.Example; dmarc=pass header.from=contoso.example"), OURS], "the case differs, a forgery"),
        ([results(f"{BORDER}.evil.example; dmarc=pass header.from=contoso.example")], "no Authentication-Results by"),
        ([results(f"evil.{BORDER}; dmarc=pass header.from=contoso.example")], "no Authentication-Results by"),
        ([results(f"({BORDER}) mx.evil.example; dmarc=pass header.from=contoso.example")], "no Authentication-Resul"),
        # Below the Received that follows our border's own, the sender writes what it likes.
        ([OUR_HOP, THEIR_HOP, OURS], "stands below our own border"),
        ([INNER_HOP, OUR_HOP, THEIR_HOP, OURS], "stands below our own border"),
        ([OUR_HOP, THEIR_HOP, OUR_HOP, OURS], "stands below our own border"),
        ([THEIR_HOP, OURS], "stands below our own border"),
        ([OUR_HOP, ("Received", f"by evil (by {BORDER}) x"), OURS], "stands below our own border"),
        # The topmost of ours counts; one below it cannot mend what it says.
        ([results(f"{BORDER}; dmarc=fail header.from=contoso.example"), OURS], "dmarc=fail for contoso.example"),
        ([results(f"{BORDER}; none"), OURS], "no dmarc result"),
        ([results(f"{BORDER}"), OURS], "no dmarc result"),
        ([results(f"{BORDER}; dmarc=pass (open header.from=contoso.example"), OURS], "is malformed"),
        ([results(f'{BORDER}; dmarc=pass reason="open header.from=contoso.example'), OURS], "is malformed"),
        ([results(f"{BORDER} 2; dmarc=pass header.from=contoso.example")], "is malformed"),
        ([results(f"{BORDER} mx.evil.example; dmarc=pass header.from=contoso.example")], "is malformed"),
        # A pass for somebody else, in every dress.
        ([results(f"{BORDER}; dmarc=pass header.from=evil.example")], "dmarc=pass for evil.example"),
        ([results(f"{BORDER}; dmarc=pass header.from=mail.contoso.example")], "dmarc=pass for mail.contoso.example"),
        ([results(f"{BORDER}; dmarc=pass header.from=example")], "dmarc=pass for example"),
        ([results(f"{BORDER}; dmarc=pass")], "dmarc=pass for no domain"),
        ([results(f"{BORDER}; dmarc=pass smtp.mailfrom=contoso.example")], "dmarc=pass for no domain"),
        ([results(f"{BORDER}; dmarc=pass header.from=evil.example header.from=contoso.example")], "is malformed"),
        ([results(f"{BORDER}; dmarc=fail (dmarc=pass header.from=contoso.example)")], "dmarc=fail for no domain"),
        ([results(f'{BORDER}; spf=pass smtp.mailfrom="x; dmarc=pass header.from=contoso.example"')], "no dmarc result"),
        ([results(f"{BORDER}; xdmarc=pass header.from=contoso.example")], "no dmarc result"),
        ([results(f"{BORDER}; dmarc=passed header.from=contoso.example")], "dmarc=passed for contoso.example"),
        ([results(f"{BORDER}; dmarc=bestguesspass header.from=contoso.example")], "dmarc=bestguesspass"),
        ([results(f"{BORDER}; dmarc=pass header.from=contoso.example; dmarc=fail header.from=contoso.example")],
         "contradict each other"),
        ([results(f"{BORDER}; dkim=pass header.d=contoso.example; spf=pass smtp.mailfrom=a@contoso.example")],
         "no dmarc result"),
        ([("X-Authentication-Results", OURS[1]), ("ARC-Authentication-Results", f"i=1; {OURS[1]}")],
         "no Authentication-Results by"),
        ([results(f"{BORDER}; dmarc=pass header.from=contoso.example\u200b")], "dmarc=pass for no domain"),
    ],
)  # fmt: skip
def test_a_forgery_or_anything_short_of_a_clear_pass_authenticates_nobody(
    headers: list[tuple[str, str]], reason: str
) -> None:
    found = authenticate(mail(*headers), BORDER)

    assert not found.authenticated
    assert reason in found.reason


@pytest.mark.parametrize(
    ("from_", "reason"),
    [
        ((), "the mail has no From address"),
        (("sam@contoso.example", "eve@evil.example"), "from 2 addresses or a group"),
        (("", "sam@contoso.example"), "from 2 addresses or a group"),
        (("",), "the From address cannot be read"),
    ],
)
def test_a_mail_without_exactly_one_sender_is_from_nobody(from_: tuple[str, ...], reason: str) -> None:
    found = authenticate(mail(OURS, from_=from_), BORDER)

    assert (found.authenticated, found.sender) == (False, None)
    assert reason in found.reason


@pytest.mark.parametrize("authserv_id", [None, ""])
def test_without_a_configured_border_nobody_is_authenticated(authserv_id: str | None) -> None:
    found = authenticate(mail(OURS), authserv_id)

    assert found == Authentication(
        False, Address("sam@contoso.example"), "no authserv_id is configured, so nobody is authenticated"
    )


@pytest.mark.parametrize(
    ("value", "accept", "authenticated"),
    [
        ("dkim=pass header.d=contoso.example", ("dkim",), True),
        ("dkim=pass header.d=example", ("dkim",), False),
        ("dkim=fail header.d=contoso.example; dkim=pass header.d=contoso.example", ("dkim",), True),
        ("dkim=pass header.d=list.example; dkim=fail header.d=contoso.example", ("dkim",), False),
        ("dkim=pass header.d=evilcontoso.example", ("dkim",), False),
        ("dkim=pass header.d=sub.contoso.example", ("dkim",), False),
        ("dkim=pass header.i=@contoso.example", ("dkim",), False),
        ("spf=pass smtp.mailfrom=bounce@contoso.example", ("spf",), True),
        ("spf=pass smtp.mailfrom=contoso.example", ("spf",), True),
        ("spf=pass smtp.mailfrom=contoso.example@evil.example", ("spf",), False),
        ("spf=pass smtp.helo=contoso.example", ("spf",), False),
        ("spf=pass smtp.mailfrom=contoso.example", ("dmarc", "dkim"), False),
        (
            "dmarc=none header.from=contoso.example; dkim=pass header.d=contoso.example",
            ("dmarc", "dkim"),
            True,
        ),
        ("dmarc=pass header.from=contoso.example", (), False),
    ],
)
def test_dkim_and_spf_count_only_where_they_are_accepted_and_aligned(
    value: str, accept: tuple[str, ...], authenticated: bool
) -> None:
    assert authenticate(mail(results(f"{BORDER}; {value}")), BORDER, accept).authenticated is authenticated


def test_dkim_of_a_parent_domain_with_two_labels_counts() -> None:
    header = results(f"{BORDER}; dkim=pass header.d=contoso.example")

    assert authenticate(mail(header, from_=("sam@mail.contoso.example",)), BORDER, ("dkim",)).authenticated


@pytest.mark.parametrize(
    ("domain", "said", "authenticated"),
    [
        ("münchen.example", "xn--mnchen-3ya.example", True),
        ("xn--mnchen-3ya.example", "münchen.example", True),
        ("한국.example", "xn--3e0b707e.example", True),
        ("日本ナビ.example", "xn--wlr3b0fxc557y.example", None),
        ("contоso.example", "xn--contso-sof.example", False),  # a Cyrillic o
        ("xn--contso-sof.example", "xn--contso-sof.example", None),
        ("аррӏе.example", "xn--80ak6aa92e.example", False),  # all Cyrillic, all lookalikes
        ("xn--80ak6aa92e.example", "xn--80ak6aa92e.example", False),
        ("cоntоsо.example", "contoso.example", False),
        ("xn--.example", "xn--.example", None),
        ("a..example", "a..example", False),
        ("-a.example", "-a.example", False),
        ("ｃontoso.example", "contoso.example", False),
        ("con\u200btoso.example", "contoso.example", False),
        ("straße.example", "strasse.example", False),
    ],
)
def test_domains_are_compared_as_a_labels_and_masks_are_refused(
    domain: str, said: str, authenticated: bool | None
) -> None:
    found = authenticate(
        mail(results(f"{BORDER}; dmarc=pass header.from={said}"), from_=(f"a@{domain}",)), BORDER
    )

    if authenticated is not None:
        assert found.authenticated is authenticated, found.reason
    if found.authenticated:
        assert suspicious(domain) == ""


def test_a_mixed_script_domain_is_named_with_its_scripts() -> None:
    assert suspicious("cоntoso.example") == (
        "the From domain mixes scripts (CYRILLIC, LATIN): cоntoso.example"
    )
    assert suspicious("пример.example") == ""


@pytest.mark.parametrize(
    ("domain", "form"),
    [
        ("Contoso.Example.", "contoso.example"),
        ("", None),
        ("a" * 254, None),
        ("a b.example", None),
        ("x", "x"),
    ],
)
def test_a_domain_has_one_form_to_compare(domain: str, form: str | None) -> None:
    assert ascii_form(domain) == form


@given(st.text(alphabet=st.sampled_from(list('mx.a; =()"\\1dmarcpass@\t')), max_size=80))
def test_no_header_breaks_the_tokenizer(value: str) -> None:
    found = read_results(value)

    assert found is None or found.authserv_id or '""' in value


@given(st.permutations([OURS, THEIR_HOP, OUR_HOP, INNER_HOP]))
def test_results_below_the_hop_of_the_sender_never_count(headers: list[tuple[str, str]]) -> None:
    found = authenticate(mail(*headers), BORDER)

    if found.authenticated:
        assert headers.index(OURS) < headers.index(THEIR_HOP) or headers.index(THEIR_HOP) < headers.index(
            OUR_HOP
        )


def test_a_header_of_eight_kilobytes_is_read_in_linear_time() -> None:
    for hostile in ("(" * 8000, '"' * 8001, "=" * 8000, ";" * 8000, "a=" * 4000, "\\" * 8000, "( )" * 2600):
        assert not authenticate(mail(results(f"{BORDER}; {hostile}")), BORDER).authenticated
