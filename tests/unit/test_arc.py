"""What a trusted forwarder saw (RFC 8617): the chain is read only where our border found it whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.test_authentication import BORDER, mail, results
from voucherd.domain.arc import vouched_for
from voucherd.domain.authentication import authenticate

DOMAIN = "contoso.example"
PASS, FAIL = f"dmarc=pass header.from={DOMAIN}", f"dmarc=fail header.from={DOMAIN}"
Headers = list[tuple[str, str]]


def arc_set(number: int, sealer: str, found: str = PASS, cv: str = "") -> Headers:
    """One set as a sealer prepends it."""
    cv = cv or ("none" if number == 1 else "pass")
    return [
        ("ARC-Seal", f"i={number}; a=rsa-sha256; t=12345; cv={cv};  d={sealer}; s=arc; b=YWJj Cg=="),
        ("ARC-Message-Signature", f"i={number}; a=rsa-sha256; d={sealer}; s=arc; h=From; bh=YWJj; b=YWJj"),
        ("ARC-Authentication-Results", f"i={number}; mx.{sealer}; spf=fail; {found}"),
    ]


def found(*headers: tuple[str, str], border: str = f"arc=pass; {FAIL}") -> tuple[bool, str]:
    answer = authenticate(
        mail(results(f"{BORDER}; {border}"), *headers), BORDER, ("dmarc",), ("Lists.example", "relay.example")
    )
    return answer.authenticated, answer.reason


def test_a_pass_that_a_trusted_sealer_recorded_authenticates_the_sender() -> None:
    assert found(*arc_set(1, "lists.example")) == (
        True,
        f"arc=pass by {BORDER}: lists.example recorded dmarc=pass for {DOMAIN} (ARC set 1)",
    )


def test_a_chain_of_trusted_sealers_is_followed_to_the_one_that_saw_the_sender_pass() -> None:
    chain = [*arc_set(2, "relay.example", FAIL), *arc_set(1, "lists.example")]

    assert found(*chain)[0]
    assert "(ARC set 1)" in found(*chain)[1]


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ([], "the ARC chain is not whole"),
        (arc_set(1, "evil.example"), "sealed by evil.example, which is no configured sealer"),
        (
            [*arc_set(2, "evil.example", FAIL), *arc_set(1, "lists.example")],
            "ARC set 2 was sealed by evil.example",
        ),
        (
            [*arc_set(2, "lists.example", FAIL), *arc_set(1, "evil.example")],
            "ARC set 1 was sealed by evil.example",
        ),
        (arc_set(1, "lists.example", FAIL), "no configured ARC sealer recorded dmarc=pass"),
        (
            arc_set(1, "lists.example", "dmarc=pass header.from=evil.example"),
            "no configured ARC sealer recorded",
        ),
        (arc_set(1, "lists.example", f"{PASS}; {FAIL}"), "no configured ARC sealer recorded"),
        (
            arc_set(1, "lists.example", "dkim=pass header.d=contoso.example"),
            "no configured ARC sealer recorded",
        ),
        (arc_set(1, "lists.example", "dmarc=pass (open"), "the results of ARC set 1 are malformed"),
        (arc_set(1, "lists.example", cv="fail"), "says that the chain was broken"),
        (arc_set(1, "lists.example", cv="pass"), "says that the chain was broken"),
        (arc_set(2, "lists.example"), "the ARC chain is not whole"),
        (arc_set(0, "lists.example"), "the ARC headers are malformed"),
        (arc_set(51, "lists.example"), "the ARC headers are malformed"),
        (arc_set(1, "lists.example")[:2], "the ARC chain is not whole"),
        (arc_set(1, "lists.example")[1:], "the ARC chain is not whole"),
        ([*arc_set(1, "lists.example"), *arc_set(1, "evil.example")], "the ARC headers are malformed"),
        (arc_set(1, "lists.example; d=evil.example"), "ARC seal 1 is malformed"),
        (arc_set(1, "lists.example.evil.example"), "which is no configured sealer"),
    ],
)
def test_a_chain_that_nobody_we_trust_closed_authenticates_nobody(headers: Headers, reason: str) -> None:
    authenticated, why = found(*headers)

    assert not authenticated
    assert reason in why


@pytest.mark.parametrize(
    ("border", "reason"),
    [
        (FAIL, "arc: no result"),
        (f"arc=fail; {FAIL}", "arc: fail"),
        (f"arc=none; {FAIL}", "arc: none"),
        (f"arc=pass; arc=fail; {FAIL}", "arc: fail, pass"),
        (f"{FAIL} (arc=pass)", "arc: no result"),
    ],
)
def test_only_our_own_borders_word_about_the_chain_counts(border: str, reason: str) -> None:
    authenticated, why = found(*arc_set(1, "lists.example"), border=border)

    assert not authenticated
    assert reason in why


def test_without_configured_sealers_no_chain_is_read() -> None:
    message = mail(results(f"{BORDER}; arc=pass; {FAIL}"), *arc_set(1, "lists.example"))

    assert not authenticate(message, BORDER).authenticated
    assert "; arc" not in authenticate(message, BORDER).reason


@given(st.lists(st.tuples(
    st.sampled_from(["arc-seal", "arc-message-signature", "arc-authentication-results"]),
    st.text(alphabet=st.sampled_from(list("i=1;2 dcvnpas.x()\"")), max_size=60),
), max_size=6))  # fmt: skip
def test_no_header_breaks_the_reading_of_a_chain(headers: Headers) -> None:
    assert isinstance(vouched_for(tuple(headers), ("x",), DOMAIN), str)
