"""What the writer of an answer wrote, in the layouts of mail programs; every text is synthetic."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.test_reading import _mail
from voucherd.domain.mail_parts import messages_in
from voucherd.domain.own_words import MAX_OWN_LINES, own_words

GMAIL = "On Wed, 10 Nov 2021 at 09:00, Voucher desk <vouchers@desk.example> wrote:"
KOREAN = "2021년 11월 10일 (수) 오전 9:00, Voucher desk <vouchers@desk.example>님이 작성:"
GERMAN = "Am 10.11.2021 um 09:00 schrieb Voucher desk <vouchers@desk.example>:"
OUTLOOK = (
    "________________________________\nFrom: Voucher desk <vouchers@desk.example>\n"
    "Sent: Wednesday, November 10, 2021 9:00 AM\nTo: Mara <mara@contoso.example>\n"
    "Subject: Please reserve voucher SYNTH-0001\n\n"
)
QUOTED = "> Please reserve this voucher.\n>\n> reserved 2020-01-01\n"
PLAIN = "Please reserve this voucher.\n\nreserved 2020-01-01\n"


@pytest.mark.parametrize(
    "text",
    [
        f"reserved\n\n{GMAIL}\n{QUOTED}",
        f"{GMAIL}\n{QUOTED}\nreserved\n",
        f"{GMAIL}\n> Please reserve this voucher.\nreserved\n> If this is done already\n",
        f"{GMAIL[:48]}\n{GMAIL[48:]}\n{QUOTED}\nreserved\n",
        f"reserved\n\n{KOREAN}\n\n{QUOTED}",
        f"reserved\n\n{GERMAN}\n{QUOTED}",
        f"reserved\n\n{GMAIL}\n\n{PLAIN}",
        f"reserved\n\n{OUTLOOK}{PLAIN}",
        f"reserved\n\n-- \nMara Example\nContoso\n\n{GMAIL}\n{QUOTED}",
        f"reserved\n\nSent from my iPhone\n\n{GMAIL}\n{QUOTED}",
        f"나의 iPhone에서 보냄\n\n{KOREAN}\n{QUOTED}\nreserved\n",
        f"reserved\n\nVon meinem iPhone gesendet\n\n{GERMAN}\n{QUOTED}",
        f"-- \nMara\n\n{GMAIL}\n{QUOTED}\nreserved\n",
        "> reserved 2020-01-01\nreserved\n>> reserved 2020-01-02\n",
        f"reserved\n\nOutlook für iOS beziehen\n{OUTLOOK}{PLAIN}",
    ],
)
def test_only_the_writers_own_lines_are_kept(text: str) -> None:
    (message,) = messages_in(_mail(text, subject="Re: Please reserve voucher SYNTH-0001"))
    assert own_words(message) == ("reserved",)


def test_the_html_counts_where_there_is_no_text() -> None:
    (message,) = messages_in(_mail("", html=f"reserved\n{GMAIL}\n{PLAIN}", subject="Re: voucher"))
    assert own_words(message) == ("reserved",)


def test_what_is_kept_has_its_limits() -> None:
    (message,) = messages_in(_mail("x" * 1000 + "\n" + "line\n" * 10_000))
    kept = own_words(message)
    assert len(kept) == MAX_OWN_LINES
    assert max(map(len, kept)) == 300


@given(
    st.lists(
        st.sampled_from([GMAIL, KOREAN, *OUTLOOK.splitlines(), "> x", ">> y", "--", "reserved", "", "z:"])
    )
)
def test_any_mixture_of_quotations_is_taken_apart(lines: list[str]) -> None:
    for message in messages_in(_mail("\n".join(lines), subject="Fwd: Re: x")):
        assert all(line and not line.startswith(">") for line in own_words(message))
