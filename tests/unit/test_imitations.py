"""Domains and names that are made to be read as somebody else's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voucherd.domain.imitations import names_another, resembles, skeleton, skeletons
from voucherd.domain.message import Address

KNOWN = frozenset(("contoso.example", "microsoft.com", "wingtip.example", "mail.fabrikam.example"))


@pytest.mark.parametrize(
    ("domain", "imitated"),
    [
        ("c0ntoso.example", "contoso.example"),
        ("cont0s0.example", "contoso.example"),
        ("con-toso.example", "contoso.example"),
        ("c0nt0so.examp1e", "contoso.example"),
        ("rnicrosoft.com", "microsoft.com"),
        ("mlcrosoft.com", "microsoft.com"),
        ("mail.rnicrosoft.com", "microsoft.com"),
        ("vvingtip.example", "wingtip.example"),
        ("wlngtlp.example", "wingtip.example"),
        ("cóntoso.example", "contoso.example"),
        ("xn--cntoso-bxa.example", "contoso.example"),  # cóntoso
        ("сontoso.example", "contoso.example"),  # a Cyrillic es
        ("mıcrosoft.com", "microsoft.com"),  # a dotless i, which is a Latin letter
        ("contoso.example", ""),
        ("mail.contoso.example", ""),
        ("CONTOSO.example.", ""),
        ("contoso.test", ""),
        ("contoso-consulting.example", ""),
        ("mycontoso.example", ""),
        ("fabrikam.example", ""),
        ("adatum.example", ""),
        ("example", ""),
        ("", ""),
    ],
)
def test_a_domain_that_reads_like_a_known_one_is_told(domain: str, imitated: str) -> None:
    assert resembles(domain, KNOWN, skeletons(KNOWN)) == imitated


@given(st.sampled_from(sorted(KNOWN)), st.from_regex(r"[a-z]{1,8}", fullmatch=True))
def test_a_host_below_a_known_domain_imitates_nobody(known: str, label: str) -> None:
    assert resembles(f"{label}.{known}", KNOWN, skeletons(KNOWN)) == ""


@given(st.text(max_size=80))
def test_every_text_has_a_skeleton(domain: str) -> None:
    assert isinstance(skeleton(domain), str)
    assert isinstance(resembles(domain, KNOWN, skeletons(KNOWN)), str)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("ceo@contoso.example", "ceo@contoso.example"),
        ("Chief <ceo@contoso.example>", "ceo@contoso.example"),
        ("CEO (ceo@Contoso.example)", "ceo@contoso.example"),
        ("ceo＠contoso.example", "ceo@contoso.example"),
        ("'ceo@contoso.example' via desk", "ceo@contoso.example"),
        ("mailto=ceo@contoso.example", "ceo@contoso.example"),
        ("x@evil.example", ""),
        ("x@mail.evil.example", ""),
        ("Sam @ Contoso", ""),
        ("Sam @contoso", ""),
        ("sam@home", ""),
        ("", ""),
    ],
)
def test_a_name_that_shows_another_address_is_told(name: str, other: str) -> None:
    assert names_another(Address("x@evil.example", name)) == other
