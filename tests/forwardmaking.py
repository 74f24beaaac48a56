"""Makes synthetic forwards of voucher mails: one per mail program, language, kind of body and number of vouchers.

What stands above the forwarded text is what the program writes in that language (`tests.forward_clients`); names,
addresses and vouchers are made up. Deterministic: the same cell gives the same bytes.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from email.utils import format_datetime
from html import escape
from textwrap import wrap

from babel.dates import format_date

from tests import forward_clients as words
from tests.forward_layouts import (
    CLIENTS,
    OUTLOOK_ORDER,
    Client,
    Message,
    Shown,
    bold_lines,
    colon_of,
    header_lines,
    header_values,
    instant,
    person,
)

OFFERINGS = ("SDPS", "DDPS", "PVDPS")


@dataclass(frozen=True)
class Voucher:
    """What the programme's mail says about one voucher (synthetic)."""

    number: int

    @property
    def facts(self) -> dict[str, str]:
        """Fact -> value, in the form in which voucherd gives it."""
        first = date(2021, 1 + self.number % 6, 13 + self.number % 15)
        return {
            "voucher_id": f"DPS-{self.number % 90 + 10}K{self.number % 10}-{self.number * 7919 % 100_000:05}",
            "customer": f"Adatum {self.number} AB",
            "offering": OFFERINGS[self.number % 3],
            "days": str((3, 5, 10)[self.number % 3]),
            "assigned_on": first.isoformat(),
            "expires_on": first.replace(month=first.month + 6).isoformat(),
        }


# --- The programme's mail --------------------------------------------------------------------------------


def _day(iso: str, language: str, form: int) -> str:
    day, locale = date.fromisoformat(iso), language.replace("-", "_")
    pattern = ("long", "medium", words.NUMERIC_DATES[language])[form % 3]
    return format_date(day, pattern, locale=locale).replace("\u202f", " ")


def stated(voucher: Voucher, language: str) -> Shown:
    """The facts as labels and values of the language; the form of the dates changes with the voucher."""
    *labels, days = words.FACTS[language].split("|")
    values = dict(voucher.facts)
    values["days"] = days.format(values["days"])
    for fact in ("assigned_on", "expires_on"):
        values[fact] = _day(values[fact], language, voucher.number)
    return list(zip(labels, values.values(), strict=True))


def text_body(vouchers: Sequence[Voucher], language: str) -> str:
    """The facts as label lines, a paragraph each voucher."""
    colon = colon_of(language)
    return "\n".join(header_lines(stated(voucher, language), colon) for voucher in vouchers)


def html_body(vouchers: Sequence[Voucher], language: str, layout: str) -> str:
    """The facts as HTML: `rows` (a table of labels and values), `columns` (a table with a head), or `breaks`."""
    if layout == "columns":
        head = "".join(f"<th>{label}</th>" for label, _ in stated(vouchers[0], language))
        rows = "".join(
            "<tr>"
            + "".join(f"<td>{escape(value)}</td>" for _, value in stated(voucher, language))
            + "</tr>\n"
            for voucher in vouchers
        )
        return f"<table><thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table>"
    if layout == "breaks":
        colon = colon_of(language)
        return "".join(
            f"<p>{bold_lines(stated(voucher, language), colon, end='<br>')}</p>" for voucher in vouchers
        )
    return "<p></p>".join(
        "<table>"
        + "".join(
            f"<tr><td>{label}</td><td>{escape(value)}</td></tr>" for label, value in stated(voucher, language)
        )
        + "</table>"
        for voucher in vouchers
    )


# --- Whole mails -----------------------------------------------------------------------------------------


def mail(content: str, subject: str, *, html: bool, number: int = 1, kind: str = "") -> bytes:
    """A mail of the customer to the desk, found authentic by our border."""
    media = kind or f'text/{"html" if html else "plain"}; charset="utf-8"'
    encoded = base64.b64encode(subject.encode()).decode()
    head = (
        "Authentication-Results: mx.desk.example; dmarc=pass header.from=adatum.example\n"
        "From: Mara Lindqvist <mara@adatum.example>\nTo: Voucher desk <vouchers@desk.example>\n"
        f"Subject: =?utf-8?B?{encoded}?=\nDate: Tue, 18 May 2021 08:01:00 +0200\n"
        f"Message-ID: <synthetic-{number}@adatum.example>\nMIME-Version: 1.0\n"
        f"Content-Type: {media}\nContent-Transfer-Encoding: 8bit\n\n"
    )
    return (head + content).replace("\n", "\r\n").encode()


def wrapped(text: str, width: int = 76) -> str:
    """The text as programs send it that end lines at a width; separators stay whole."""
    made: list[str] = []
    for line in text.split("\n"):
        mark = "> " if line.startswith("> ") else ""
        if len(line) <= width or line[len(mark) :].startswith(("---", "___")):
            made.append(line)
        else:
            pieces = wrap(
                line[len(mark) :], width - len(mark), break_long_words=False, break_on_hyphens=False
            )
            made += [mark + piece for piece in pieces]
    return "\n".join(made)


def alternative(text: str, html: str, subject: str) -> bytes:
    """A mail with a text and an HTML part."""
    parts = "".join(
        f'--=_a\nContent-Type: text/{kind}; charset="utf-8"\nContent-Transfer-Encoding: 8bit\n\n{content}\n'
        for kind, content in (("plain", text), ("html", html))
    )
    return mail(f"{parts}--=_a--\n", subject, html=False, kind='multipart/alternative; boundary="=_a"')


def attached(inner: bytes, subject: str, how: str) -> bytes:
    """A mail that holds another as an attachment: `rfc822`, `base64` (the same encoded), or `eml` (a file)."""
    encoded = base64.encodebytes(inner).decode()
    part = {
        "rfc822": f"Content-Type: message/rfc822\n\n{inner.decode()}",
        "base64": f"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n{encoded}",
        "eml": 'Content-Type: application/octet-stream; name="voucher.eml"\nContent-Transfer-Encoding: base64\n'
        f'Content-Disposition: attachment; filename="voucher.eml"\n\n{encoded}',
    }[how]
    content = f"--=_b\nContent-Type: text/plain\n\nHello, here it is.\n--=_b\n{part}\n--=_b--\n"
    return mail(content.replace("\r\n", "\n"), subject, html=False, kind='multipart/mixed; boundary="=_b"')


def programme_mail(message: Message, *, html: bool) -> bytes:
    """The message as it came from the programme."""
    encoded = base64.b64encode(message.subject.encode()).decode()
    head = (
        f"From: {person(message.sender_name, message.sender)}\nTo: {person(message.to_name, message.to)}\n"
        f"Cc: {person(message.cc_name, message.cc)}\nSubject: =?utf-8?B?{encoded}?=\n"
        f"Date: {format_datetime(message.sent)}\nMessage-ID: <synthetic-inner@microsoft.com>\nMIME-Version: 1.0\n"
        f'Content-Type: text/{"html" if html else "plain"}; charset="utf-8"\nContent-Transfer-Encoding: base64\n\n'
    )
    return (head + base64.encodebytes(message.body.encode()).decode()).replace("\n", "\r\n").encode()


STYLES = (
    "plain",
    "bold",
    "bold colon",
    "tab",
    "no-break",
    "quoted",
    "quoted deep",
    "table",
    "blockquote",
    "spans",
)


def arranged(language: str, message: Message, order: Sequence[str], style: str) -> tuple[str, bool]:
    """Outlook's header words in any order and dress, without a separator; and whether the result is HTML."""
    names = dict(zip(OUTLOOK_ORDER.split(), words.OUTLOOK[language].split("|"), strict=True))
    values = header_values(message, instant(message, language, words.WINDOWS_DATES[language]))
    shown = [(names[name], values[name]) for name in order]
    colon = colon_of(language)
    if style == "table":
        rows = "".join(f"<tr><td><b>{a}{colon}</b></td><td>{escape(b)}</td></tr>" for a, b in shown)
        return f"<p>Hello</p><table>{rows}</table><p></p>{message.body}", True
    if style in ("blockquote", "spans"):
        tag = "blockquote" if style == "blockquote" else "div"
        rows = "".join(
            f"<p><span><b>{a}</b><span>{colon}</span></span> <i>{escape(b)}</i></p>" for a, b in shown
        )
        return f"<p>Hello</p><{tag}>{rows}<p></p>{message.body}</{tag}>", True
    dressed = {
        "bold": [f"*{a}{colon}* {b}" for a, b in shown],
        "bold colon": [f"*{a}*{colon} {b}" for a, b in shown],
        "tab": [f"{a}{colon}\t{b}" for a, b in shown],
        "no-break": [f"{a}\u00a0{colon.strip()}\u00a0{b}" for a, b in shown],
    }.get(style, [f"{a}{colon} {b}" for a, b in shown])
    mark = {"quoted": "> ", "quoted deep": ">>> "}.get(style, "")
    lines = [f"{mark}{line}" for line in [*dressed, "", *message.body.splitlines()]]
    return "Hello\n\n" + "\n".join(lines) + "\n", False


@dataclass(frozen=True)
class Cell:
    """One cell of the matrix, and what has to be read from it."""

    client: Client
    language: str
    html: bool
    vouchers: tuple[Voucher, ...]
    layout: str = "lines"

    @property
    def original(self) -> Message:
        """The programme's mail inside."""
        if self.html:
            body = html_body(self.vouchers, self.language, self.layout)
        else:
            body = text_body(self.vouchers, self.language)
        return Message(subject=words.VOUCHER_MAIL[self.language], body=body)

    def bytes(self) -> bytes:
        """The mail that the customer forwards."""
        shown = self.shown(self.original)
        prefix = words.FORWARD_SUBJECTS[self.language] if self.client.outlook else "Fwd"
        return mail(
            shown, f"{prefix}: {self.original.subject}", html=self.html, number=self.vouchers[0].number
        )

    def shown(self, message: Message) -> str:
        """The forward of a message, below a few words of the forwarder's."""
        if self.html:
            inside = self.client.html(self.language, message)
            return f"<html><body><div>Hello, here it is.</div><div><br></div><div>Mara</div>{inside}</body></html>"
        return f"Hello, here it is.\n\nMara\n\n{self.client.text(self.language, message)}"


def cells(client: Client, language: str) -> Iterator[Cell]:
    """Every cell of one mail program in one language."""
    base = words.LANGUAGES.index(language) * 11 + CLIENTS.index(client) * 5
    for count in (1, 3):
        vouchers = tuple(Voucher(base + place) for place in range(1, count + 1))
        yield Cell(client, language, False, vouchers)
        for layout in ("rows", "breaks", *(("columns",) if count > 1 else ())):
            yield Cell(client, language, True, vouchers, layout)
