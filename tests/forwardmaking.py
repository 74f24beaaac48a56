"""Makes synthetic forwards of voucher mails: one per mail program, language, kind of body and number of vouchers.

What stands above the forwarded text is what the program writes in that language (`tests.forward_clients`); names,
addresses and vouchers are made up. Deterministic: the same cell gives the same bytes.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, timezone
from email.utils import format_datetime
from html import escape
from textwrap import wrap

from babel.dates import format_date
from babel.dates import format_datetime as format_instant

from tests import forward_clients as words

ZONE = timezone(timedelta(hours=2))
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


@dataclass(frozen=True)
class Message:
    """A message that is forwarded: who wrote it to whom, when, and what."""

    sender: str = "sabenefits@microsoft.com"
    sender_name: str = "Software Assurance Benefits"
    to: str = "mara@adatum.example"
    to_name: str = "Mara Lindqvist"
    cc: str = "ola@adatum.example"
    cc_name: str = "Ola Berg"
    sent: datetime = field(default=datetime(2021, 5, 17, 16, 40, 26, tzinfo=ZONE))
    subject: str = ""
    body: str = ""


Shown = list[tuple[str, str]]
"""Header labels with their values, in the order of the program."""


@dataclass(frozen=True)
class Client:
    """A mail program: its name, and how it shows a forwarded message as text and as HTML."""

    name: str
    text: Callable[[str, Message], str]
    html: Callable[[str, Message], str]
    outlook: bool = False


def instant(message: Message, language: str, pattern: str) -> str:
    """The message's date as the program shows it."""
    shown = format_instant(message.sent.replace(tzinfo=None), pattern, locale=language.replace("-", "_"))
    if language == "ko":  # Babel's data have AM and PM, the programs the Korean words
        shown = shown.replace("AM", "오전").replace("PM", "오후")
    return shown.replace("\u202f", " ")


def _colon(language: str, *, wide: bool = False) -> str:
    if wide and language in words.WIDE_COLON:
        return "："
    return " :" if language in words.SPACED_COLON else ":"


def _person(name: str, address: str) -> str:
    return f"{name} <{address}>"


def _values(message: Message, date_shown: str) -> dict[str, str]:
    return {
        "from": _person(message.sender_name, message.sender),
        "to": _person(message.to_name, message.to),
        "cc": _person(message.cc_name, message.cc),
        "date": date_shown,
        "subject": message.subject,
    }


def _headers(labels: str, order: str, message: Message, date_shown: str) -> Shown:
    values = _values(message, date_shown)
    return [(label, values[name]) for label, name in zip(labels.split("|"), order.split(), strict=True)]


def _lines(shown: Shown, colon: str, *, mark: str = "", blank: str = " ") -> str:
    return "".join(f"{mark}{label}{colon}{blank}{value}\n" for label, value in shown)


def _bold(shown: Shown, colon: str, tag: str = "b", end: str = "<br>\n") -> str:
    return "".join(f"<{tag}>{label}{colon}</{tag}> {escape(value)}{end}" for label, value in shown)


# --- Outlook: for Windows, on the web, on a phone, and the new one ---------------------------------------

_OUTLOOK_ORDER = "from date to cc subject"


def _outlook_shown(language: str, message: Message) -> Shown:
    sent = instant(message, language, words.WINDOWS_DATES[language])
    return _headers(words.OUTLOOK[language], _OUTLOOK_ORDER, message, sent)


def _outlook_text(language: str, message: Message) -> str:
    return f"\n{_lines(_outlook_shown(language, message), _colon(language))}\n{message.body}\n"


def _outlook_html(language: str, message: Message) -> str:
    style = "border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm"
    shown = _bold(_outlook_shown(language, message), _colon(language)).removesuffix("<br>\n")
    return (
        f'<div><div style="{style}"><p class="MsoNormal">{shown}<o:p></o:p></p></div></div>\n'
        f'<p class="MsoNormal"><o:p>&nbsp;</o:p></p>\n{message.body}'
    )


def _web_shown(language: str, message: Message) -> Shown:
    sent = instant(message, language, words.WINDOWS_DATES[language])
    return _headers(words.OUTLOOK_WEB[language], _OUTLOOK_ORDER, message, sent)


def _web_text(language: str, message: Message) -> str:
    return f"{'_' * 32}\n{_lines(_web_shown(language, message), _colon(language))}\n{message.body}\n"


def _web_html(language: str, message: Message) -> str:
    shown = _bold(_web_shown(language, message), _colon(language))
    return (
        '<hr tabindex="-1" style="display:inline-block; width:98%">\n<div id="divRplyFwdMsg" dir="ltr">'
        f'<font face="Calibri, sans-serif" color="#000000">{shown}</font>\n<div>&nbsp;</div></div>\n{message.body}'
    )


def _mobile_text(language: str, message: Message) -> str:
    head = f"Outlook for iOS<https://aka.ms/o0ukef>\n{'_' * 32}\n"
    return f"{head}{_lines(_web_shown(language, message), _colon(language))}\n\n{message.body}\n"


def _mobile_html(language: str, message: Message) -> str:
    shown = _bold(_web_shown(language, message), _colon(language), tag="strong")
    return (
        '<div class="ms-outlook-mobile-signature"><a href="https://aka.ms/o0ukef">Outlook for iOS</a></div>\n'
        f'<hr style="display:inline-block;width:98%"><div id="divRplyFwdMsg" dir="ltr">{shown}</div>\n'
        f"<div>&nbsp;</div>{message.body}"
    )


def _new_shown(language: str, message: Message) -> Shown:
    sent = instant(message, language, words.MAC_DATES[language])
    return _headers(words.OUTLOOK_NEW[language], _OUTLOOK_ORDER, message, sent)


def _new_text(language: str, message: Message) -> str:
    return f"{_lines(_new_shown(language, message), _colon(language))}\n{message.body}\n"


def _new_html(language: str, message: Message) -> str:
    shown = "".join(
        f'<b><span style="color:black">{label}{_colon(language)} </span></b>'
        f'<span style="color:black">{escape(value)}<br></span>\n'
        for label, value in _new_shown(language, message)
    )
    return f'<div id="mail-editor-reference-message-container"><p class="MsoNormal">{shown}</p>{message.body}</div>'


# --- Gmail, Apple Mail, Thunderbird, Yahoo, Notes, Android -----------------------------------------------


def _gmail_shown(language: str, message: Message) -> Shown:
    sent = instant(message, language, words.GMAIL_DATES[language])
    return _headers(
        f"{words.GMAIL_FROM[language]}|Date|Subject|To|Cc", "from date subject to cc", message, sent
    )


def _gmail_text(language: str, message: Message) -> str:
    (label, sender), *others = _gmail_shown(language, message)
    head = f"---------- Forwarded message ---------\n{label}{_colon(language, wide=True)} {sender}\n"
    return f"{head}{_lines(others, ':')}\n\n{message.body}\n"


def _gmail_html(language: str, message: Message) -> str:
    (label, _), *others = _gmail_shown(language, message)
    sender = (
        f'<strong class="gmail_sendername" dir="auto">{message.sender_name}</strong> <span dir="auto">&lt;'
        f'<a href="mailto:{message.sender}">{message.sender}</a>&gt;</span>'
    )
    shown = "".join(f"{name}: {escape(value)}<br>" for name, value in others)
    return (
        '<div class="gmail_quote"><div dir="ltr" class="gmail_attr">---------- Forwarded message ---------<br>'
        f"{label}{_colon(language, wide=True)} {sender}<br>{shown}</div><br><br>{message.body}</div>"
    )


def _apple_shown(language: str, message: Message) -> tuple[str, Shown]:
    zone = words.APPLE_ZONES.get(language, "CEST")
    sent = f"{instant(message, language, words.APPLE_DATES[language])} {zone}".strip()
    separator, _, labels = words.APPLE[language].partition("|")
    return separator, _headers(labels, "from subject date to cc", message, sent)


def _apple_text(language: str, message: Message) -> str:
    separator, shown = _apple_shown(language, message)
    quoted = f"{separator}:\n\n{_lines(shown, ':')}\n{message.body}\n"
    return "".join(f"> {line}\n" for line in quoted.splitlines())


def _apple_html(language: str, message: Message) -> str:
    separator, shown = _apple_shown(language, message)
    rows = "".join(
        f'<div style="margin: 0px;"><span style="color:black"><b>{label}: </b></span>'
        f"<span>{escape(value)}<br></span></div>"
        for label, value in shown
    )
    return (
        f'<div><br><blockquote type="cite"><div>{separator}:</div><br class="Apple-interchange-newline">'
        f"{rows}<br><div>{message.body}</div></blockquote></div>"
    )


def _thunderbird_shown(language: str, message: Message) -> tuple[str, Shown]:
    separator, _, labels = words.THUNDERBIRD[language].partition("|")
    return separator, _headers(labels, "subject date from to cc", message, format_datetime(message.sent))


def _thunderbird_text(language: str, message: Message) -> str:
    separator, shown = _thunderbird_shown(language, message)
    return f"\n-------- {separator} --------\n{_lines(shown, _colon(language), blank=f' {chr(9)}')}\n\n{message.body}\n"


def _thunderbird_html(language: str, message: Message) -> str:
    separator, shown = _thunderbird_shown(language, message)
    rows = "".join(
        f'<tr><th valign="BASELINE" nowrap="nowrap" align="RIGHT">{label}{_colon(language)} </th>'
        f"<td>{escape(value)}</td></tr>\n"
        for label, value in shown
    )
    return (
        f'<div class="moz-forward-container"><br><br>-------- {separator} --------\n'
        f'<table class="moz-email-headers-table" cellspacing="0"><tbody>{rows}</tbody></table>\n<br><br>\n'
        f"{message.body}</div>"
    )


def _yahoo_shown(language: str, message: Message) -> tuple[str, Shown]:
    sent = instant(message, language, words.YAHOO_DATES[language])
    separator, _, labels = words.YAHOO[language].partition("|")
    return separator, _headers(labels, "from to cc date subject", message, sent)


def _yahoo_text(language: str, message: Message) -> str:
    separator, shown = _yahoo_shown(language, message)
    run_on = "".join(f"{label}{_colon(language)} {value}" for label, value in shown)
    return f"   ----- {separator} ----- {run_on}\n {message.body}\n"


def _yahoo_html(language: str, message: Message) -> str:
    separator, shown = _yahoo_shown(language, message)
    rows = "".join(f"<div><b>{label}{_colon(language)}</b> {escape(value)}</div>" for label, value in shown)
    return (
        f'<div id="ydp1yahoo_quoted" class="yahoo_quoted"><div><div>----- {separator} -----</div>{rows}'
        f'<div><br></div><div id="yiv1">{message.body}</div></div></div>'
    )


def _notes_shown(language: str, message: Message) -> tuple[str, Shown]:
    pattern = f"{words.NUMERIC_DATES[language]} {'hh:mm a' if language == 'en' else 'HH:mm'}"
    separator, _, labels = words.NOTES[language].partition("|")
    handed_on = replace(message, sent=message.sent + timedelta(hours=15))
    shown = separator.format(who="Mara Lindqvist/Adatum", when=instant(handed_on, language, pattern))
    return shown, _headers(labels, "from to cc date subject", message, instant(message, language, pattern))


def _notes_text(language: str, message: Message) -> str:
    separator, shown = _notes_shown(language, message)
    head = f"----- {separator} -----\n\n{_lines(shown, _colon(language), blank=chr(9))}"
    return f"{head}\n{'_' * 32}\n\n\n{message.body}\n"


def _notes_html(language: str, message: Message) -> str:
    separator, shown = _notes_shown(language, message)
    font = '<font size=1 color=#5f5f5f face="sans-serif">'
    rows = "".join(
        f"<tr valign=top><td>{font}{label}{_colon(language)}</font></td><td>{font}{escape(value)}</font></td></tr>\n"
        for label, value in shown
    )
    return (
        f'<font size=1 color=#800080 face="sans-serif">----- {separator} -----</font>\n<br>\n<br>\n'
        f"<table width=100%>\n{rows}</table>\n<br>\n<hr noshade>\n<br>\n{message.body}"
    )


def _android_shown(language: str, message: Message) -> tuple[str, Shown]:
    sent = instant(message, language, words.ANDROID_DATES[language])
    separator, _, labels = words.ANDROID[language].partition("|")
    return separator, _headers(labels, "from date to cc subject", message, sent)


def _android_text(language: str, message: Message) -> str:
    separator, shown = _android_shown(language, message)
    return f"-------- {separator} --------\n{_lines(shown, _colon(language))}\n{message.body}\n"


def _android_html(language: str, message: Message) -> str:
    separator, shown = _android_shown(language, message)
    rows = "".join(f"<div>{label}{_colon(language)} {escape(value)} </div>" for label, value in shown)
    return f"<div>-------- {separator} --------</div>{rows}<div><br></div>{message.body}"


CLIENTS = (
    Client("Outlook for Windows", _outlook_text, _outlook_html, outlook=True),
    Client("Outlook on the web", _web_text, _web_html, outlook=True),
    Client("Outlook mobile", _mobile_text, _mobile_html, outlook=True),
    Client("New Outlook", _new_text, _new_html, outlook=True),
    Client("Gmail", _gmail_text, _gmail_html),
    Client("Apple Mail", _apple_text, _apple_html),
    Client("Thunderbird", _thunderbird_text, _thunderbird_html),
    Client("Yahoo Mail", _yahoo_text, _yahoo_html),
    Client("HCL Notes", _notes_text, _notes_html),
    Client("Samsung and Android", _android_text, _android_html),
)


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
    colon = _colon(language)
    return "\n".join(_lines(stated(voucher, language), colon) for voucher in vouchers)


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
        colon = _colon(language)
        return "".join(
            f"<p>{_bold(stated(voucher, language), colon, end='<br>')}</p>" for voucher in vouchers
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
        f"From: {_person(message.sender_name, message.sender)}\nTo: {_person(message.to_name, message.to)}\n"
        f"Cc: {_person(message.cc_name, message.cc)}\nSubject: =?utf-8?B?{encoded}?=\n"
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
    names = dict(zip(_OUTLOOK_ORDER.split(), words.OUTLOOK[language].split("|"), strict=True))
    values = _values(message, instant(message, language, words.WINDOWS_DATES[language]))
    shown = [(names[name], values[name]) for name in order]
    colon = _colon(language)
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
