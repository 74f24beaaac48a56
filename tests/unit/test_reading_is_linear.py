"""Twice the text is at most twice the work: counted in lines run, not in time, so that it holds on any machine.

The longest strings that one step looks at are bounded by `text_lines` (a line, a part), so steps are what may grow.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from tests.builders import programme
from tests.mailmaking import mail, multipart, part
from voucherd.adapters.reader.html import to_text
from voucherd.adapters.reader.task import read_here
from voucherd.domain.dates import LONGEST, read_date, read_datetime
from voucherd.domain.forwards import sender_of, subject_prefixes, unwrap
from voucherd.domain.message import Address, ParsedMail
from voucherd.domain.reading import read
from voucherd.domain.shown_addresses import addresses_in

PROGRAMMES = (programme(),)
Trace = Callable[[FrameType, str, object], object]
AT_MOST = 2.3
SMALL = 600
HEADER = "From: A <a@b.example>\nTo: C <c@d.example>\nSubject: s\n\n"

LINES: dict[str, Callable[[int], str]] = {
    "line feeds": lambda n: "\n" * n,
    "quotation marks, deeper and deeper": lambda n: "".join(f"{'>' * (i % 300)} a\n" for i in range(n)),
    "labels without values": lambda n: "From:\nSent:\nTo:\nSubject:\n" * (n // 4),
    "from lines": lambda n: "From: a@b.example\n" * n,
    "header blocks": lambda n: HEADER * (n // 4),
    "header blocks with blank lines": lambda n: HEADER.replace("\n", "\n\n") * (n // 8),
    "header blocks in every language": lambda n: "Von: a@b.example\nOd: a@b.example\nDe: a@b.example\n" * (n // 3),
    "separators": lambda n: "---------- Forwarded message ---------\n" * n,
    "run-on headers": lambda n: f"----- Forwarded Message ----- {'From: a: To: b: ' * 100}\n" * (n // 50),
    "one endless address list": lambda n: "From: a@b.example\nTo: " + "x <a@b.example>,\n" * n,
    "different addresses": lambda n: "From: a@b.example\nTo: " + "".join(f"<a{i}@b.example>,\n" for i in range(n)),
    "folded subjects": lambda n: "From: a@b.example\nSubject: s\n" + "  more\n" * (n + 400),
    "attributions": lambda n: "On 3 May 2021, A <a@b.example> wrote:\n" * n,
    "attributions over two lines": lambda n: "On 3 May 2021, A\n<a@b.example> wrote:\n" * (n // 2),
    "vouchers": lambda n: "".join(f"Voucher ID: DPS-{i:05d}\nDays: 5\n" for i in range(n // 2)),
    "one voucher again and again": lambda n: "Voucher ID: DPS-83K2-99017\n" * n,
    "voucher labels without values": lambda n: "Voucher ID\n\n" * (n // 2),
    "table heads": lambda n: "Voucher ID\tOffering\tDays\n" * n,
    "table rows": lambda n: "Voucher ID\tDays\n" + "".join(f"DPS-{i:05d}\t5\n" for i in range(n)),
    "wide tables": lambda n: ("Voucher ID" + "\tDPS-00001" * 38 + "\n") * (n // 20),
    "dates": lambda n: "Expires on: 03/04/2021 05/06/2021 1. May 2021 may may may 5 may 2021\n" * (n // 4),
    "cells": lambda n: ("a   b\t|" * 200 + "\n") * (n // 50),
    "facts": lambda n: "Voucher ID: DPS-83K2-99017\n" + "Days: 5\n\nOrganization: A\n" * (n // 3),
}  # fmt: skip

DOCUMENTS: dict[str, Callable[[int], str]] = {
    "open tags": lambda n: "<div>" * n,
    "open formatting": lambda n: "<p><b>a" * n,
    "tables in tables": lambda n: "<table><tr><td>a" * n,
    "rows": lambda n: f"<table>{'<tr><td>Days</td><td>5</td></tr>' * n}</table>",
    "cells of one row": lambda n: f"<table><tr>{'<td>a</td>' * n}</tr></table>",
    "attributes": lambda n: f"<p {' '.join(f'a{i}=1' for i in range(n))}>a",
    "lists": lambda n: "<ul><li>a" * n,
    "quotations": lambda n: "<blockquote>a" * n,
    "breaks": lambda n: "a<br>" * n,
    "entities": lambda n: "&amp;&#x41;&nosuch;" * n,
}

VALUES: dict[str, Callable[[int], Any]] = {
    "addresses": lambda n: addresses_in("@" * n + "a@b.example," * n),
    "local parts": lambda n: addresses_in("a" * n + "@b.example"),
    "domains": lambda n: addresses_in("a@" + "b." * n),
    "senders": lambda n: sender_of(" on behalf of a@b.example" * n),
    "prefixes": lambda n: subject_prefixes("Re: " * n),
    "dates": lambda n: read_date("1. " * n + "may 2021", "en"),
    "instants": lambda n: read_datetime("1:" * n + "+1" * n, "en"),
}


def steps(work: Callable[[], object]) -> int:
    """How many lines of Python are run for a piece of work, each turn of a comprehension counted."""
    counted = 0

    def count(frame: FrameType, event: str, _: object) -> Trace:
        nonlocal counted
        counted += 1
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        work()
    finally:
        sys.settrace(before)
    return counted


def grows(make: Callable[[int], Callable[[], object]]) -> float:
    """How much more work twice the size is (a first run fills what is remembered between mails)."""
    make(SMALL)()
    return steps(make(2 * SMALL)) / max(steps(make(SMALL)), 1)


def _reads(text: str, html: str = "") -> Callable[[], object]:
    shown = ParsedMail((), "", (Address("a@b.example"),), (), (), (), "FW: s", None, "", text, html)
    return lambda: read(shown, PROGRAMMES)


@pytest.mark.parametrize("name", LINES)
def test_unwrapping_twice_the_lines_is_twice_the_work(name: str) -> None:
    def make(size: int) -> Callable[[], object]:
        text = LINES[name](size)
        return lambda: unwrap(text, "FW: s")

    assert grows(make) <= AT_MOST


@pytest.mark.parametrize("both", [False, True], ids=["text", "text and html"])
@pytest.mark.parametrize("name", LINES)
def test_reading_twice_the_lines_is_twice_the_work(name: str, both: bool) -> None:
    assert grows(lambda size: _reads(LINES[name](size), "x\n" + LINES[name](size) if both else "")) <= AT_MOST


@pytest.mark.parametrize("name", DOCUMENTS)
def test_laying_out_twice_the_html_is_twice_the_work(name: str) -> None:
    def make(size: int) -> Callable[[], object]:
        document = DOCUMENTS[name](size)
        return lambda: to_text(document)

    assert grows(make) <= AT_MOST


@pytest.mark.parametrize("name", VALUES)
def test_a_value_twice_as_long_is_at_most_twice_the_work(name: str) -> None:
    assert grows(lambda size: lambda: VALUES[name](size)) <= AT_MOST


def test_of_a_date_no_more_than_its_limit_is_read() -> None:
    long = steps(lambda: read_date("5 " * LONGEST, "en"))
    assert steps(lambda: read_date("5 " * 100 * LONGEST, "en")) <= long + 5


@pytest.mark.parametrize("levels", [8, 16])
def test_a_mail_twice_as_nested_is_at_most_twice_the_work(levels: int) -> None:
    def make(depth: int) -> Callable[[], object]:
        content = mail()
        for number in range(depth):
            content = multipart(
                part("Voucher ID: DPS-83K2-99017"), part(content, "message/rfc822"), boundary=f"=_{number}"
            )
        return lambda: read_here(content, PROGRAMMES)

    make(2)()
    assert steps(make(levels)) / steps(make(levels // 2)) <= AT_MOST
