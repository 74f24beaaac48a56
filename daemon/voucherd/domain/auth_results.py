"""The grammar of Authentication-Results (RFC 8601 section 2.2), which ARC uses as well (RFC 8617 section 4.1.1).

One pass over a value; what is malformed says nothing at all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# A closing parenthesis that nothing opened matches nothing.
_LEX = re.compile(r'[ \t\r\n]+|[;="(]|[^ \t\r\n;="()]+')


@dataclass(frozen=True, slots=True)
class Result:
    """One result of an Authentication-Results header: `dkim=pass`, with its properties (`header.d` and so on)."""

    method: str
    result: str
    properties: dict[str, str]


@dataclass(frozen=True, slots=True)
class Results:
    """One Authentication-Results header: who wrote it, and what it found."""

    authserv_id: str
    results: tuple[Result, ...]


def read_results(value: str) -> Results | None:
    """Reads one header value (RFC 8601 section 2.2), None where it is malformed: then it says nothing at all."""
    pieces = tokens_of(value)
    if pieces is None or not pieces[0]:
        return None
    head = pieces[0]
    # The identifier, then perhaps a version, which is 1 (section 2.5).
    if len(head) > 2 or "=" in head or (len(head) == 2 and head[1] != "1"):
        return None
    results: list[Result] = []
    for tokens in pieces[1:]:
        if not tokens or tokens == ["none"]:
            continue
        result = _result(tokens)
        if result is None:
            return None
        results.append(result)
    return Results(head[0], tuple(results))


def _result(tokens: list[str]) -> Result | None:
    if len(tokens) < 3 or tokens[1] != "=":
        return None
    method, _, version = tokens[0].lower().partition("/")
    if not method or version not in ("", "1"):
        return None
    properties: dict[str, str] = {}
    at = 3
    while at < len(tokens):
        if at + 2 >= len(tokens) or tokens[at + 1] != "=" or "=" in (tokens[at], tokens[at + 2]):
            return None
        name = tokens[at].lower()
        if name in properties:
            return None
        properties[name] = tokens[at + 2]
        at += 3
    return Result(method, tokens[2].lower(), properties)


def tokens_of(value: str) -> list[list[str]] | None:
    """The words and `=` signs of a header, split at `;`, without comments; None where a quote or comment is left
    open. One pass over the value; a quoted string is part of the word that it stands in."""
    pieces: list[list[str]] = [[]]
    word: list[str] = []
    at = 0
    while at < len(value):
        token = _LEX.match(value, at)
        if token is None:
            return None
        text, at = token[0], token.end()
        if text == '"':
            at = _quoted(value, at, word)
        elif text == "=" and word and pieces[-1][-1:] == ["="]:
            word.append(text)  # inside a value (a base64 signature); only the first one divides
        elif text[0] in " \t\r\n;=(":
            _finish(pieces[-1], word)
            if text == "=":
                pieces[-1].append(text)
            elif text == ";":
                pieces.append([])
            elif text == "(":
                at = _after_comment(value, at - 1)
        else:
            word.append(text)
        if at < 0:
            return None
    _finish(pieces[-1], word)
    return pieces


def _finish(piece: list[str], word: list[str]) -> None:
    if word:
        piece.append("".join(word))
        word.clear()


def _quoted(value: str, at: int, word: list[str]) -> int:
    word.append("")
    while at < len(value):
        if value[at] == '"':
            return at + 1
        if value[at] == "\\" and at + 1 < len(value):
            at += 1
        word.append(value[at])
        at += 1
    return -1


def _after_comment(value: str, at: int) -> int:
    depth = 0
    while at < len(value):
        if value[at] == "\\":
            at += 1
        elif value[at] == "(":
            depth += 1
        elif value[at] == ")":
            depth -= 1
            if depth == 0:
                return at + 1
        at += 1
    return -1
