"""How mail programs show a forwarded message above its text, as text and as HTML: one function each.

The words and the forms of dates are those of `tests.forward_clients`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from html import escape

from babel.dates import format_datetime as format_instant

from tests import forward_clients as words

ZONE = timezone(timedelta(hours=2))


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


def colon_of(language: str, *, wide: bool = False) -> str:
    """The colon of the language after a label; `wide` is Gmail's in Chinese."""
    if wide and language in words.WIDE_COLON:
        return "："
    return " :" if language in words.SPACED_COLON else ":"


def person(name: str, address: str) -> str:
    """A name and an address as header lines show them."""
    return f"{name} <{address}>"


def header_values(message: Message, date_shown: str) -> dict[str, str]:
    """The values of the header lines by field."""
    return {
        "from": person(message.sender_name, message.sender),
        "to": person(message.to_name, message.to),
        "cc": person(message.cc_name, message.cc),
        "date": date_shown,
        "subject": message.subject,
    }


def _headers(labels: str, order: str, message: Message, date_shown: str) -> Shown:
    values = header_values(message, date_shown)
    return [(label, values[name]) for label, name in zip(labels.split("|"), order.split(), strict=True)]


def header_lines(shown: Shown, colon: str, *, mark: str = "", blank: str = " ") -> str:
    """Header lines of a text."""
    return "".join(f"{mark}{label}{colon}{blank}{value}\n" for label, value in shown)


def bold_lines(shown: Shown, colon: str, tag: str = "b", end: str = "<br>\n") -> str:
    """Header lines of an HTML body with their labels bold."""
    return "".join(f"<{tag}>{label}{colon}</{tag}> {escape(value)}{end}" for label, value in shown)


# --- Outlook: for Windows, on the web, on a phone, and the new one ---------------------------------------

OUTLOOK_ORDER = "from date to cc subject"


def _outlook_shown(language: str, message: Message) -> Shown:
    sent = instant(message, language, words.WINDOWS_DATES[language])
    return _headers(words.OUTLOOK[language], OUTLOOK_ORDER, message, sent)


def _outlook_text(language: str, message: Message) -> str:
    return f"\n{header_lines(_outlook_shown(language, message), colon_of(language))}\n{message.body}\n"


def _outlook_html(language: str, message: Message) -> str:
    style = "border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm"
    shown = bold_lines(_outlook_shown(language, message), colon_of(language)).removesuffix("<br>\n")
    return (
        f'<div><div style="{style}"><p class="MsoNormal">{shown}<o:p></o:p></p></div></div>\n'
        f'<p class="MsoNormal"><o:p>&nbsp;</o:p></p>\n{message.body}'
    )


def _web_shown(language: str, message: Message) -> Shown:
    sent = instant(message, language, words.WINDOWS_DATES[language])
    return _headers(words.OUTLOOK_WEB[language], OUTLOOK_ORDER, message, sent)


def _web_text(language: str, message: Message) -> str:
    return f"{'_' * 32}\n{header_lines(_web_shown(language, message), colon_of(language))}\n{message.body}\n"


def _web_html(language: str, message: Message) -> str:
    shown = bold_lines(_web_shown(language, message), colon_of(language))
    return (
        '<hr tabindex="-1" style="display:inline-block; width:98%">\n<div id="divRplyFwdMsg" dir="ltr">'
        f'<font face="Calibri, sans-serif" color="#000000">{shown}</font>\n<div>&nbsp;</div></div>\n{message.body}'
    )


def _mobile_text(language: str, message: Message) -> str:
    head = f"Outlook for iOS<https://aka.ms/o0ukef>\n{'_' * 32}\n"
    return f"{head}{header_lines(_web_shown(language, message), colon_of(language))}\n\n{message.body}\n"


def _mobile_html(language: str, message: Message) -> str:
    shown = bold_lines(_web_shown(language, message), colon_of(language), tag="strong")
    return (
        '<div class="ms-outlook-mobile-signature"><a href="https://aka.ms/o0ukef">Outlook for iOS</a></div>\n'
        f'<hr style="display:inline-block;width:98%"><div id="divRplyFwdMsg" dir="ltr">{shown}</div>\n'
        f"<div>&nbsp;</div>{message.body}"
    )


def _new_shown(language: str, message: Message) -> Shown:
    sent = instant(message, language, words.MAC_DATES[language])
    return _headers(words.OUTLOOK_NEW[language], OUTLOOK_ORDER, message, sent)


def _new_text(language: str, message: Message) -> str:
    return f"{header_lines(_new_shown(language, message), colon_of(language))}\n{message.body}\n"


def _new_html(language: str, message: Message) -> str:
    shown = "".join(
        f'<b><span style="color:black">{label}{colon_of(language)} </span></b>'
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
    head = f"---------- Forwarded message ---------\n{label}{colon_of(language, wide=True)} {sender}\n"
    return f"{head}{header_lines(others, ':')}\n\n{message.body}\n"


def _gmail_html(language: str, message: Message) -> str:
    (label, _), *others = _gmail_shown(language, message)
    sender = (
        f'<strong class="gmail_sendername" dir="auto">{message.sender_name}</strong> <span dir="auto">&lt;'
        f'<a href="mailto:{message.sender}">{message.sender}</a>&gt;</span>'
    )
    shown = "".join(f"{name}: {escape(value)}<br>" for name, value in others)
    return (
        '<div class="gmail_quote"><div dir="ltr" class="gmail_attr">---------- Forwarded message ---------<br>'
        f"{label}{colon_of(language, wide=True)} {sender}<br>{shown}</div><br><br>{message.body}</div>"
    )


def _apple_shown(language: str, message: Message) -> tuple[str, Shown]:
    zone = words.APPLE_ZONES.get(language, "CEST")
    sent = f"{instant(message, language, words.APPLE_DATES[language])} {zone}".strip()
    separator, _, labels = words.APPLE[language].partition("|")
    return separator, _headers(labels, "from subject date to cc", message, sent)


def _apple_text(language: str, message: Message) -> str:
    separator, shown = _apple_shown(language, message)
    quoted = f"{separator}:\n\n{header_lines(shown, ':')}\n{message.body}\n"
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
    head = header_lines(shown, colon_of(language), blank=" \t")
    return f"\n-------- {separator} --------\n{head}\n\n{message.body}\n"


def _thunderbird_html(language: str, message: Message) -> str:
    separator, shown = _thunderbird_shown(language, message)
    rows = "".join(
        f'<tr><th valign="BASELINE" nowrap="nowrap" align="RIGHT">{label}{colon_of(language)} </th>'
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
    run_on = "".join(f"{label}{colon_of(language)} {value}" for label, value in shown)
    return f"   ----- {separator} ----- {run_on}\n {message.body}\n"


def _yahoo_html(language: str, message: Message) -> str:
    separator, shown = _yahoo_shown(language, message)
    rows = "".join(f"<div><b>{label}{colon_of(language)}</b> {escape(value)}</div>" for label, value in shown)
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
    head = f"----- {separator} -----\n\n{header_lines(shown, colon_of(language), blank=chr(9))}"
    return f"{head}\n{'_' * 32}\n\n\n{message.body}\n"


def _notes_html(language: str, message: Message) -> str:
    separator, shown = _notes_shown(language, message)
    font = '<font size=1 color=#5f5f5f face="sans-serif">'
    rows = "".join(
        f"<tr valign=top><td>{font}{label}{colon_of(language)}</font></td><td>{font}{escape(value)}</font></td></tr>\n"
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
    return f"-------- {separator} --------\n{header_lines(shown, colon_of(language))}\n{message.body}\n"


def _android_html(language: str, message: Message) -> str:
    separator, shown = _android_shown(language, message)
    rows = "".join(f"<div>{label}{colon_of(language)} {escape(value)} </div>" for label, value in shown)
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
