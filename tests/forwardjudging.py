"""Reads synthetic forwards and says what of them was read otherwise than it stands there; and the page about it.

`python -m tests.forwardjudging > docs/forwards.md` renews the page; a test compares it.
"""

from __future__ import annotations

import sys
from functools import cache

from tests.builders import programme
from tests.forward_clients import LANGUAGES
from tests.forward_layouts import CLIENTS, ZONE, Client
from tests.forwardmaking import Cell, cells
from voucherd.adapters.reader.task import read_here
from voucherd.domain.forward_words import HEADERS, SEPARATORS
from voucherd.domain.message import Hop, Reading
from voucherd.domain.recognition import vouchers_of


def read_mail(content: bytes) -> Reading:
    """The reading of a mail that has to be readable."""
    reading = read_here(content, (programme(),))
    assert isinstance(reading, Reading)
    return reading


def facts_of(reading: Reading) -> list[dict[str, str]]:
    """The facts of each voucher that the reading names."""
    return [{fact: one.value for fact, one in found.facts.items()} for found in vouchers_of(reading)]


def expected_facts(cell: Cell) -> list[dict[str, str]]:
    """The facts that stand in the mail of the cell."""
    return [{**voucher.facts, "customer_admin": cell.original.to} for voucher in cell.vouchers]


def faults(cell: Cell, content: bytes | None = None, hops: int = 1) -> list[str]:
    """What is read otherwise than it stands in the mail (the cell's own, or one made from it)."""
    reading = read_mail(cell.bytes() if content is None else content)
    wrong = list(reading.problems)
    if facts_of(reading) != expected_facts(cell):
        wrong.append(f"facts {facts_of(reading)} instead of {expected_facts(cell)}")
    if len(reading.hops) != hops or reading.original is None:
        return [*wrong, f"{len(reading.hops)} hops"]
    return wrong + _original_faults(reading.original, cell)


def _original_faults(hop: Hop, cell: Cell) -> list[str]:
    sent = cell.original
    shown = {
        "from": (hop.from_addr, sent.sender),
        "name": (hop.from_name, sent.sender_name),
        "to": (hop.to, (sent.to,)),
        "cc": (hop.cc, (sent.cc,)),
        "subject": (hop.subject, sent.subject),
        "date": (f"{hop.date:%Y-%m-%d %H:%M}" if hop.date else hop.date_raw, f"{sent.sent:%Y-%m-%d %H:%M}"),
        "offset": (
            hop.date.utcoffset() if hop.date else None,
            ZONE.utcoffset(None) if _shows_zone(hop.date_raw) else None,
        ),
        "body": (hop.text[: 12 + hop.text.find(cell.vouchers[0].facts["voucher_id"])].count("\n") < 4, True),
    }
    return [f"{name} {read!r} instead of {meant!r}" for name, (read, meant) in shown.items() if read != meant]


def _shows_zone(date_raw: str) -> bool:
    return any(mark in date_raw for mark in ("+02", "+2", "CEST", "MESZ", "SELČ"))


@cache
def wrong_of(client: Client, language: str) -> dict[str, list[str]]:
    """Every fault of one program in one language, by cell."""
    return {
        f"{'html' if cell.html else 'text'} {cell.layout} {len(cell.vouchers)}": found
        for cell in cells(client, language)
        if (found := faults(cell))
    }


_HEAD = """\
# What is recognised of a forward

Written by `python -m tests.forwardjudging > docs/forwards.md` out of the same synthetic mails that the tests read
(`tests/forwardmaking.py`); a test fails when this page is not true any more.

A cell says in which bodies a forward made by that program in that language is read whole: the sender, the recipients,
the date and the subject of the programme's mail, and of one voucher and of three every fact that it states (voucher ID,
administrator, customer, offering, days, assigned on, expires on). The facts stand in lines (text), in a table with a
row a fact, in lines with breaks, and, for three vouchers, in a table with a row a voucher (HTML).

"""
_FOOT = """
Beside these, in every language: header words in any order, bold, in a table, in a block quotation, with any number
of `>` before them; subjects and lists of recipients wrapped at 76 columns; forwards of forwards, each in a language
and of a program of its own; mails attached as `message/rfc822` (encoded or not) or as a file `.eml`, and forwards
inside them; text and HTML that say the same; the older character sets.

## Dates

A date is read with the words and the habits of the forward's language; where that leaves two readings, both are kept
and neither is taken. So `05/06/2021` in an English header stays unread, `17/05/2021` does not. Phones write the year
of a header in two figures (`17.05.21`): read where the language leaves one reading. In a voucher's facts a two-figure
year is never read.

## Words known

The first words of each field; `daemon/voucherd/domain/forward_words.py` has them all, and is where to add some.

"""


def _mark(client: Client, language: str) -> str:
    bad = {cell.split()[0] for cell in wrong_of(client, language)}
    return ", ".join(shown for kind, shown in (("text", "text"), ("html", "HTML")) if kind not in bad) or "–"


def page() -> str:
    """docs/forwards.md."""
    lines = [f"| | {' | '.join(client.name for client in CLIENTS)} |", "|---" * (len(CLIENTS) + 1) + "|"]
    lines += [
        f"| {language} | {' | '.join(_mark(client, language) for client in CLIENTS)} |"
        for language in LANGUAGES
    ]
    known = ["| | from | date | to | cc | subject | separator |", "|---" * 7 + "|"]
    for language, fields in HEADERS.items():
        first = [fields[name].split("|")[0] for name in ("from", "date", "to", "cc", "subject")]
        known.append(f"| {language} | {' | '.join(first)} | {SEPARATORS[language].split('|')[0]} |")
    return _HEAD + "\n".join(lines) + "\n" + _FOOT + "\n".join(known) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
