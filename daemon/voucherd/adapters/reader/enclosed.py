"""Attachments that hold more than they show: Outlook files, winmail.dat, spreadsheets.

Whatever cannot be taken apart stays an attachment, and the message says so in `unread`: it goes on without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from voucherd.adapters.reader import mapi
from voucherd.adapters.reader.guard import RefusedError
from voucherd.domain.message import Attachment

if TYPE_CHECKING:
    from voucherd.adapters.reader.gated import Gate
    from voucherd.adapters.reader.tree import Contents

_TNEF: Final = ("application/ms-tnef", "application/vnd.ms-tnef")
_MSG: Final = "application/vnd.ms-outlook"
_MAX_SHEETS: Final = 10


def take(found: Contents, name: str, kind: str, content: bytes, gate: Gate, depth: int) -> bool:
    """Looks into a file that came with the message; True where nothing is left of it to be kept as a file."""
    lowered = name.lower()
    try:
        if lowered.endswith(".msg") or kind == _MSG:
            return _outlook_file(found, name or "an Outlook message", content, gate, depth)
        if lowered == "winmail.dat" or kind in _TNEF:
            return _tnef(found, content, gate)
    except mapi.UnreadError as error:
        found.unread.append(f"{name or 'winmail.dat'} was not read: {error}")
        return False
    if lowered.endswith((".xlsx", ".ods", ".csv")):
        _sheet(found, name, content)
    return False


def join(found: Contents, gate: Gate, depth: int) -> None:
    """Lets the items of winmail.dat join the message that brought them: bodies that it lacks, and files."""
    for item in found.items:
        bodies = mapi.bodies(item)
        has_text = any(text.strip() for text in found.texts)
        if not has_text and (bodies.plain or bodies.rich):
            found.texts.append(_lines(bodies.plain or bodies.rich))
        elif has_text and bodies.rich and not found.htmls:
            found.htmls.append(mapi.as_html(_lines(bodies.rich)))
        if bodies.html and not any(text.strip() for text in found.htmls):
            found.htmls.append(bodies.html)
        if bodies.unread and not has_text:
            found.unread.append(f"winmail.dat: {bodies.unread}")
        for one in item.attachments:
            gate.enter(depth + 1)
            if isinstance(one, mapi.Item):
                content = mapi.message_of(one)
                found.unread += one.unread
                _message(found, content, depth)
            else:
                _file(found, one, gate, depth)
        found.unread += item.unread
    found.items.clear()


def message_in(content: bytes) -> bytes:
    """The message in a .msg file that was handed in by itself. Raises RefusedError where it cannot be read."""
    from voucherd.adapters.reader import outlook_file

    try:
        return mapi.message_of(outlook_file.item_of(content))
    except mapi.UnreadError as error:
        raise RefusedError(f"an Outlook message file was not read: {error}") from None


def _outlook_file(found: Contents, name: str, content: bytes, gate: Gate, depth: int) -> bool:
    from voucherd.adapters.reader import outlook_file

    gate.keep(len(content))
    item = outlook_file.item_of(content)
    message = mapi.message_of(item)
    found.unread += [f"{name}: {one}" for one in item.unread]
    _message(found, message, depth)
    return True


def _tnef(found: Contents, content: bytes, gate: Gate) -> bool:
    from voucherd.adapters.reader import tnef

    gate.keep(len(content))
    found.items.append(tnef.item_of(content))
    return True


def _message(found: Contents, content: bytes, depth: int) -> None:
    # as leniently as what a report returns: a file that breaks a limit is left unread, its message goes on
    found.messages.append((content, depth + 1, True))


def _file(found: Contents, file: mapi.File, gate: Gate, depth: int) -> None:
    if file.media_type == "message/rfc822" or file.name.lower().endswith(".eml"):
        _message(found, file.content, depth)
    elif not take(found, file.name, file.media_type, file.content, gate, depth):
        found.attachments.append(Attachment(file.name, file.media_type, file.content))


def _sheet(found: Contents, name: str, content: bytes) -> None:
    from voucherd.adapters.reader import sheets

    if len(found.sheets) >= _MAX_SHEETS:
        found.unread.append(f"{name} was not read: more than {_MAX_SHEETS} spreadsheets")
        return
    try:
        found.sheets += sheets.read(name, content)
    except sheets.UnreadSheetError as error:
        found.unread.append(f"{name} was not read: {error}")


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
