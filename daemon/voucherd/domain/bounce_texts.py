"""Bounces that are plain words only: qmail, older Exim and Postfix, Exchange, Gmail, and the services that imitate
them. One pass over the first lines: status codes, phrases, addresses, and the Message-ID of the returned mail.

The caller has made sure that a mail system wrote the text. Where the words leave it open whether the mail may still
arrive, it counts as delayed: a delay does nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

_MOST_LINES = 2_000
_TOP_LINES = 120
_LONGEST_LINE = 1_000
_MOST_ADDRESSES = 50
_SPLIT = str.maketrans(dict.fromkeys("<>()[]{}\"';,*|", " "))
_ADDRESS = re.compile(r"[^\s@]{1,64}@[a-z0-9](?:[a-z0-9-]{0,62}\.){1,20}[a-z0-9-]{2,63}")
# RFC 3463: class, subject 0 to 7, detail. Not a version (Exim 4.94.2), not an address of IPv4.
_STATUS = re.compile(r"(?<![\d.])([45])\.[0-7]\.\d{1,3}(?!\.?\d)")
_REPLY = re.compile(r"(?:^|[:#(<\"'] ?)([45])[0-5]\d(?=[ -])")
_COPY = (
    "--- below this line is a copy",
    "this is a copy of the message",
    "this is a copy of your message",
    "original message headers",
    "message header follows",
    "message headers follow",
    "unsent message follows",
    "header of the original message",
    "original message -----",
    "-----original message",
    "original message follows",
    "returned message follows",
    "message text follows",
    "message header -----",
    "returned message -----",
)
_HEADERS = ("received:", "return-path:", "x-original-to:")  # a copy that nothing announces begins like this
# Said only where nothing will be tried again.
_FINAL = (
    "permanent error",
    "permanent fatal error",
    "failed permanently",
    "permanently failed",
    "permanent failure",
    "given up",
    "giving up",
    "not going to try again",
    "will not be retried",
    "no further attempt",
    "not try again",
    "(failure)",
    "dauerhafter fehler",
    "endgültig",
)
_WAITING = (
    "(delay)",
    "delayed",
    "will retry",
    "will be retried",
    "will keep trying",
    "will continue to try",
    "still being retried",
    "still trying",
    "not yet been delivered",
    "not been delivered yet",
    "warning message only",
    "this is a warning only",
    "no action is required",
    "do not need to resend",
    "don't need to resend",
    "temporary problem",
    "temporarily deferred",
    "verzögert",
    "verzögerung",
    "wird weiterhin versucht",
    "retardé",
    "retrasado",
    "in ritardo",
)
_REFUSED = (
    "undeliverable",
    "undelivered mail",
    "returned mail",
    "returned to sender",
    "failure notice",
    "delivery failed",
    "delivery failure",
    "delivery has failed",
    "delivery to the following recipient failed",
    "delivery status notification (fail",
    "mail delivery failed",
    "could not be delivered",
    "couldn't be delivered",
    "was not delivered",
    "wasn't delivered",
    "did not reach the following",
    "unable to deliver",
    "unable to be delivered",
    "address not found",
    "message not delivered",
    "message blocked",
    "unzustellbar",
    "nicht zugestellt",
    "fehler bei der nachrichtenzustellung",
    "non remis",
    "échec de la remise",
    "non distribu",
    "no se pudo entregar",
    "no se ha podido entregar",
    "mancato recapito",
    "onbestelbaar",
    "niet worden bezorgd",
    "niedostarczon",
    "配信不能",
    "配信できません",
    "배달되지 않음",
    "배달하지 못",
    "无法送达",
    "未送达",
    "退信",
)


class Fate(StrEnum):
    """What became of a mail to one recipient."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Said:
    """What the words say: the fate, the first status code, the line that it stands in, the addresses above the
    returned copy in order, and the Message-IDs below it."""

    fate: Fate
    status: str
    diagnostic: str
    addresses: tuple[str, ...]
    message_ids: tuple[str, ...]


def read(subject: str, text: str) -> Said:
    """Reads a text of any size; no more than its first 2,000 lines are looked at, 1,000 characters of each."""
    lines = [line[:_LONGEST_LINE] for line in islice(_lines(text), _MOST_LINES)]
    lowered = [line.lower().replace("\u2019", "'") for line in lines]
    copy = next((at for at, line in enumerate(lowered) if _begins_copy(line)), len(lines))
    top = range(min(copy, _TOP_LINES))
    status, diagnostic = _status([lines[at] for at in top])
    said = " ".join(" ".join([subject.lower()[:_LONGEST_LINE], *(lowered[at] for at in top)]).split())
    ids = (
        line.partition(":")[2].strip().strip("<>") for line in lines if line.lower().startswith("message-id:")
    )
    return Said(
        fate=_fate(said, status, copied=copy < len(lines)),
        status=status,
        diagnostic=diagnostic,
        addresses=_addresses([lowered[at] for at in top]),
        message_ids=tuple(dict.fromkeys(one for one in islice(ids, 20) if one)),
    )


def _begins_copy(lowered: str) -> bool:
    return lowered.startswith(_HEADERS) or any(mark in lowered for mark in _COPY)


def _lines(text: str) -> list[str]:
    return [line.strip().lstrip("> ") for line in text[: _MOST_LINES * _LONGEST_LINE].splitlines()]


def _fate(said: str, status: str, *, copied: bool) -> Fate:
    if any(phrase in said for phrase in _FINAL):
        return Fate.FAILED
    if any(phrase in said for phrase in _WAITING):
        return Fate.DELAYED
    if status.startswith("5") or any(phrase in said for phrase in _REFUSED):
        return Fate.FAILED
    if status:
        return Fate.DELAYED
    return Fate.FAILED if copied and "deliver" in said and "fail" in said else Fate.UNKNOWN


def _status(lines: list[str]) -> tuple[str, str]:
    """The first enhanced code with its line, a permanent one before a temporary one; a bare reply code as `5.0.0`."""
    found: dict[str, tuple[str, str]] = {}
    for line in lines:
        enhanced = _STATUS.search(line)
        if enhanced:
            found.setdefault(enhanced[1], (enhanced[0], line))
            continue
        reply = _REPLY.search(line)
        if reply:
            found.setdefault(f"{reply[1]} bare", (f"{reply[1]}.0.0", line))
    for wanted in ("5", "5 bare", "4", "4 bare"):
        if wanted in found:
            return found[wanted]
    return "", ""


def _addresses(lowered: list[str]) -> tuple[str, ...]:
    """The addresses in order; those of a To or Cc line, which names everybody whom the mail was for, only where no
    other line names one."""
    found: dict[str, None] = {}
    addressed: dict[str, None] = {}
    for line in lowered:
        if "@" not in line or line.startswith(("message-id:", "from:", "reporting-mta:")):
            continue
        kept = addressed if line.startswith(("to:", "cc:")) else found
        for word in line.translate(_SPLIT).split():
            bare = word.strip(":.!?").removeprefix("mailto:").removeprefix("rfc822:").removeprefix("to:")
            if _ADDRESS.fullmatch(bare) and not bare.startswith(("postmaster@", "mailer-daemon@")):
                kept[bare] = None
    return tuple(islice(found or addressed, _MOST_ADDRESSES))
