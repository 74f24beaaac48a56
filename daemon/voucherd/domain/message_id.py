"""Names that a mail and its calendar entries keep for ever: made from what they are about, never from a clock.

A second attempt therefore carries the same Message-ID as the first (PROMISES.md, P3), and a reminder sent later
names the same calendar entry, so that a moved deadline moves in the reader's calendar.
"""

from __future__ import annotations

from hashlib import blake2b

_LONGEST_KEY = 64
_DIGEST_BYTES = 16


def message_id(key: bytes, business_key: str, domain: str) -> str:
    """The Message-ID (RFC 5322, 3.6.4) of the mail that `business_key` stands for: `<hex@domain>`.

    The keyed hash keeps the business key (partner, voucher, day) from being read or guessed out of the header.
    `domain` is the desk's own, as ASCII. ValueError where it could not stand in a header.
    """
    return f"<{_keyed(key, b'message-id', business_key)}@{_checked(domain)}>"


def calendar_uid(key: bytes, voucher: str, deadline: str, domain: str) -> str:
    """The UID (RFC 5545, 3.8.4.7) of the calendar entry of one deadline of one voucher, whatever its date."""
    return f"{_keyed(key, b'calendar', voucher, deadline)}@{_checked(domain)}"


def calendar_feed(key: bytes, partner: str) -> str:
    """The name of a partner's calendar feed: who knows the partner's id cannot guess it."""
    return _keyed(key, b"calendar-feed", partner)


def _keyed(key: bytes, purpose: bytes, *parts: str) -> str:
    """A keyed hash over the parts; each is preceded by its length, so that no two lists of parts look alike."""
    fitting = key if len(key) <= _LONGEST_KEY else blake2b(key).digest()
    digest = blake2b(key=fitting, digest_size=_DIGEST_BYTES, person=purpose)
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big"))
        digest.update(encoded)
    return digest.hexdigest()


def _checked(domain: str) -> str:
    if not domain.isascii() or not domain.replace("-", "a").replace(".", "a").isalnum():
        raise ValueError(f"not a domain for a Message-ID: {domain!r}")
    return domain.lower()
