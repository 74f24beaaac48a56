"""Who a mail is really from: the Authentication-Results of our own border (RFC 8601), read and judged.

Only what the desk's border says counts, and only where nobody else can have written it. Everything that is not
clearly a pass is no pass, with a reason that a person can check.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from voucherd.domain import arc
from voucherd.domain.auth_results import Result, Results, read_results, tokens_of
from voucherd.domain.domain_names import ascii_form, suspicious
from voucherd.domain.imitations import names_another
from voucherd.domain.message import Address, ParsedMail

_RESULTS = "authentication-results"
_RECEIVED = "received"
# RFC 5322, 3.6.6: set by whoever sends a mail of somebody else once more
_RESENT = ("resent-from", "resent-sender")
_SHOWN = 500


@dataclass(frozen=True, slots=True)
class Authentication:
    """Whether the mail's sender is who it says; `sender` is its one From address, None where there is not one."""

    authenticated: bool
    sender: Address | None
    reason: str


def authenticate(
    mail: ParsedMail,
    authserv_id: str | None,
    accept: Sequence[str] = ("dmarc",),
    arc_sealers: Sequence[str] = (),
) -> Authentication:
    """Judges the sender of `mail` by what the border `authserv_id` found, by one of the methods in `accept`.

    `dmarc` asks for a pass for exactly the From domain; `dkim` and `spf`, where accepted, for that domain or
    a parent of it with at least two labels (CONTRACT.md `authserv_id`; PROMISES.md, forged addresses). Where none
    of them passes, the border's `arc=pass` lets a forwarder in `arc_sealers` say what it saw (RFC 8617).
    """
    if len(mail.from_) != 1 or not mail.from_[0].addr:
        return Authentication(False, None, _no_sender(mail.from_))
    sender = mail.from_[0]
    domain = ascii_form(sender.domain)
    if domain is None:
        return Authentication(False, sender, f"{sender.domain} is no domain name")
    doubt = suspicious(sender.domain) or _dressed_up(mail, sender)
    if doubt:
        return Authentication(False, sender, doubt)
    if not authserv_id:
        return Authentication(False, sender, "no authserv_id is configured, so nobody is authenticated")
    found = _of_our_border(mail.headers, authserv_id)
    if isinstance(found, str):
        return Authentication(False, sender, found)
    judged = _judged(sender, domain, found, accept)
    if judged.authenticated or not arc_sealers:
        return judged
    return _by_arc(judged, mail, domain, found, arc_sealers)


def _dressed_up(mail: ParsedMail, sender: Address) -> str:
    """What makes the one From address look like, or speak for, somebody else; empty where nothing does."""
    if "=?" in sender.addr:
        return "the From address holds an encoded word, which readers show as something else (RFC 2047, 5)"
    if other := names_another(sender):
        return f"the From header shows the address {other} as a name, but is from {sender.addr}"[:_SHOWN]
    for header in _RESENT:
        if value := mail.first(header):
            return f"the mail was sent on by another ({header}: {value}): its From did not send it here"[
                :_SHOWN
            ]
    return ""


def _by_arc(
    judged: Authentication, mail: ParsedMail, domain: str, found: Results, sealers: Sequence[str]
) -> Authentication:
    """The same judgement by what a configured sealer recorded, where our own border found the chain whole."""
    results = {result.result for result in found.results if result.method == "arc"}
    if results != {"pass"}:
        said = ", ".join(sorted(results)) or "no result"
        return Authentication(False, judged.sender, f"{judged.reason}; arc: {said}"[:_SHOWN])
    chosen = arc.vouched_for(mail.headers, sealers, domain)
    if isinstance(chosen, str):
        return Authentication(False, judged.sender, f"{judged.reason}; {chosen}"[:_SHOWN])
    reason = (
        f"arc=pass by {found.authserv_id}: {chosen.sealer} recorded dmarc=pass for {domain} "
        f"(ARC set {chosen.instance})"
    )
    return Authentication(True, judged.sender, reason)


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
    return Authentication(
        False, sender, f"{found.authserv_id} found {said}; the mail is from {domain}"[:_SHOWN]
    )


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
    pieces = tokens_of(received)
    words = pieces[0] if pieces else []
    for at, word in enumerate(words[:-1]):
        if word.lower() == "by":
            return words[at + 1].lower()
    return ""
