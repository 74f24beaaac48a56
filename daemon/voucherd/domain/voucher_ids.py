"""Voucher IDs in running text: which characters after a label are one, and when it is better not to say.

What only looks like an ID (broken by a blank or a line end, with a letter of another alphabet, part of an address)
is never taken: it may suggest a voucher to a person, nothing more (DOMAIN.md, "What the mails look like").
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from voucherd.domain.identifiers import is_id_token, shown_id

_LEADING = " \t\u00a0\"'“”„«»‘’(*_#[<"
_ASCII_WIDE = "0-9A-Za-z\uff10-\uff19\uff21-\uff3a\uff41-\uff5a"
_TOKEN = re.compile(f"[{_ASCII_WIDE}\\-\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d]+")
_JOIN = re.compile(r"\s?(?:[,;/&+、，；]|\band\b|\bund\b|\bet\b|\by\b|및|と|和)?\s{0,3}", re.IGNORECASE)
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_GLUED = frozenset("._/\\@+&%=")
_MAX_IDS = 20
_FIRST_CJK = 0x2E80
"""Letters from here on (Hangul, kana, Han) are particles or words after the ID, not look-alikes in it."""


@dataclass(frozen=True, slots=True)
class IdsRead:
    """The IDs that stand at one place, as (text, offset), and a sentence where they cannot be told for sure."""

    found: tuple[tuple[str, int], ...]
    problem: str = ""


def only_id(cell: str) -> bool:
    """Whether a cell holds one voucher ID and nothing else."""
    read = ids_at(cell, whole=True)
    return len(read.found) == 1


def ids_at(value: str, *, whole: bool = False) -> IdsRead:
    """The voucher ID that `value` begins with, or several where several stand in a row.

    `whole` asks that nothing else stands in the value (a line or a cell of its own).
    """
    at = len(value) - len(value.lstrip(_LEADING))
    found: list[tuple[str, int]] = []
    end = at
    while len(found) < _MAX_IDS:
        match = _TOKEN.match(value, at)
        if match is None or not _stands_alone(value, match) or not _is_id(match[0]):
            break
        found.append((match[0], at))
        end = match.end()
        join = _JOIN.match(value, end)
        at = join.end() if join is not None else end
        if at == end:
            break
    if not found:
        return IdsRead((), _broken(value, at))
    broken = _broken_after(value, end)
    if broken:
        return IdsRead((), broken)
    if whole and value[end:].strip(" \t\u00a0\"'“”„«»’)*_]>.,;"):
        return IdsRead(())
    if len({shown_id(text).upper() for text, _ in found}) > 1:
        shown = ", ".join(text for text, _ in found)
        return IdsRead(tuple(found), f"several voucher IDs stand after one label: {shown}")
    return IdsRead(tuple(found[:1]))


def _is_id(token: str) -> bool:
    shown = shown_id(token)
    return is_id_token(shown) and not _ISO_DATE.fullmatch(shown)


def _stands_alone(value: str, match: re.Match[str]) -> bool:
    after = value[match.end() : match.end() + 2]
    if not after:
        return True
    if after[0].isalnum():
        return ord(after[0]) >= _FIRST_CJK and not after[0].isdigit()
    return not (after[0] == "@" or (after[0] in _GLUED and after[1:].isalnum()))


def _broken(value: str, at: int) -> str:
    """An ID that ends in a hyphen, at the end of its line: the rest of it may be on the next."""
    match = _TOKEN.match(value, at)
    if match is None or match.end() != len(value.rstrip()) or not _is_id(match[0].rstrip("-\u2010\u2011")):
        return ""
    ends = shown_id(match[0]).endswith("-")
    return f'the voucher ID "{match[0]}" may go on on the next line' if ends else ""


def _broken_after(value: str, end: int) -> str:
    """`DPS-83K2 99017`: a second piece with digits behind a single blank may belong to the ID."""
    if value[end : end + 1] not in (" ", "\u00a0"):
        return ""
    piece = _TOKEN.match(value, end + 1)
    if piece is None or len(piece[0]) < 3 or not any(char.isdigit() for char in piece[0]):
        return ""
    shown = shown_id(piece[0])
    if shown != shown.upper() or _ISO_DATE.fullmatch(shown) or not _stands_alone(value, piece):
        return ""
    return f'the voucher ID may be broken by a blank: "{value[: piece.end()].strip()[:80]}"'
