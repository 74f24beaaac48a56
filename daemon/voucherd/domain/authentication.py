"""Who a mail is really from: the Authentication-Results of our own border (RFC 8601), read and judged.

Only what the desk's border says counts, and only where nobody else can have written it. Everything that is not
clearly a pass is no pass, with a reason that a person can check.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from voucherd.domain.domain_names import ascii_form, suspicious
from voucherd.domain.message import Address, ParsedMail

_RESULTS = "authentication-results"
_RECEIVED = "received"
# A closing parenthesis that nothing opened matches nothing.
_LEX = re.compile(r'[ \t\r\n]+|[;="(]|[^ \t\r\n;="()]+')


@dataclass(frozen=True, slots=True)
class Authentication:
    """Whether the mail's sender is who it says; `sender` is its one From address, None where there is not one."""

    authenticated: bool
    sender: Address | None
    reason: str


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


def authenticate(
    mail: ParsedMail, authserv_id: str | None, accept: Sequence[str] = ("dmarc",)
) -> Authentication:
    """Judges the sender of `mail` by what the border `authserv_id` found, by one of the methods in `accept`.

    `dmarc` asks for a pass for exactly the From domain; `dkim` and `spf`, where accepted, for that domain or
    a parent of it with at least two labels (CONTRACT.md `authserv_id`; PROMISES.md, forged addresses).
    """
    if len(mail.from_) != 1 or not mail.from_[0].addr:
        return Authentication(False, None, _no_sender(mail.from_))
    sender = mail.from_[0]
    domain = ascii_form(sender.domain)
    if domain is None:
        return Authentication(False, sender, f"{sender.domain} is no domain name")
    if doubt := suspicious(sender.domain):
        return Authentication(False, sender, doubt)
    if not authserv_id:
        return Authentication(False, sender, "no authserv_id is configured, so nobody is authenticated")
    found = _of_our_border(mail.headers, authserv_id)
    if isinstance(found, str):
        return Authentication(False, sender, found)
    return _judged(sender, domain, found, accept)


def read_results(value: str) -> Results | None:
    """Reads one header value (RFC 8601 section 2.2), None where it is malformed: then it says nothing at all."""
    pieces = _tokens(value)
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


def _judged(sender: Address, domain: str, found: Results, accept: Sequence[str]) -> Authentication:
    seen: list[str] = []
    for method in accept:
        results = [result for result in found.results if result.method == method]
        if method == "dmarc" and len({result.result for result in results}) > 1:
            seen.append("dmarc results that contradict each other")
            continue
        for result in results:
            claimed = _claimed(result)
            if result.result == "pass" and _aligned(method, claimed, domain):
                reason = f"{method}=pass for {claimed} by {found.authserv_id}"
                return Authentication(True, sender, reason)
            seen.append(f"{method}={result.result} for {claimed or 'no domain'}")
        if not results:
            seen.append(f"no {method} result")
    said = ", ".join(seen) or "nothing that is accepted"
    return Authentication(False, sender, f"{found.authserv_id} found {said}; the mail is from {domain}"[:500])


def _claimed(result: Result) -> str:
    """The domain that a result is about, as an A-label; empty where it names none."""
    if result.method == "spf":
        value = result.properties.get("smtp.mailfrom", "").rpartition("@")[2]
    else:
        value = result.properties.get("header.from" if result.method == "dmarc" else "header.d", "")
    return ascii_form(value) or ""


def _aligned(method: str, claimed: str, domain: str) -> bool:
    if not claimed:
        return False
    if claimed == domain:
        return True
    return method in ("dkim", "spf") and "." in claimed and domain.endswith(f".{claimed}")


def _no_sender(from_: tuple[Address, ...]) -> str:
    if not from_:
        return "the mail has no From address"
    if len(from_) > 1:
        return f"the mail is from {len(from_)} addresses or a group, not from one sender"
    return "the From address cannot be read"


def _of_our_border(headers: tuple[tuple[str, str], ...], authserv_id: str) -> Results | str:
    """The one header that counts, or why none does.

    It is the topmost that names our border, and it must stand where only the border can have put it: not below
    the Received header that follows the border's own (PROMISES.md, RFC 8601).
    """
    ours: tuple[int, str] | None = None
    received: list[tuple[int, str]] = []
    for at, (name, value) in enumerate(headers):
        if name == _RECEIVED:
            received.append((at, value))
        elif name == _RESULTS and ours is None and _names(value, authserv_id):
            ours = (at, value)
    if ours is None:
        return f"no Authentication-Results by {authserv_id}"
    found = read_results(ours[1])
    if found is None:
        return f"the Authentication-Results by {authserv_id} is malformed"
    if found.authserv_id != authserv_id:
        return f"Authentication-Results by {found.authserv_id}, not by {authserv_id}: the case differs, a forgery"
    border = next((n for n, (_, value) in enumerate(received) if _by(value) == authserv_id.lower()), None)
    if border is None:
        below = bool(received) and ours[0] > received[0][0]
    else:
        below = border + 1 < len(received) and ours[0] > received[border + 1][0]
    if below:
        return (
            f"the Authentication-Results by {authserv_id} stands below our own border, where anyone can write"
        )
    return found


def _names(value: str, authserv_id: str) -> bool:
    """Whether a header speaks for our border, in whatever case; one that cannot be tokenised is compared by its
    first word, so that it cannot make room for one below it."""
    found = read_results(value)
    name = found.authserv_id if found else value.partition(";")[0].strip().split(" ")[0].strip('"')
    return name.lower() == authserv_id.lower()


def _by(received: str) -> str:
    """The host after `by` in a Received header (RFC 5321 section 4.4), lower-cased, comments left out."""
    pieces = _tokens(received)
    words = pieces[0] if pieces else []
    for at, word in enumerate(words[:-1]):
        if word.lower() == "by":
            return words[at + 1].lower()
    return ""


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


def _tokens(value: str) -> list[list[str]] | None:
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
