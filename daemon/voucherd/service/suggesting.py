"""Suggestions for review: the known vouchers that something in a message looks like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from voucherd.domain.handling import Handling
from voucherd.domain.id_lookalikes import id_like
from voucherd.domain.identifiers import voucher_key
from voucherd.domain.message import Reading, Unreadable
from voucherd.service.store import Transaction

CODES = ("no-voucher-id", "ambiguous", "unknown-voucher")
"""The review codes of messages that may have meant a voucher that is known."""
MOST = 5


def suggestions(
    tx: Transaction, messages: Sequence[tuple[int, Reading | Unreadable, Handling]]
) -> Mapping[int, tuple[str, ...]]:
    """For each message that waits with one of these codes, by its number: the vouchers that it may mean, each with
    the text that looks like it. One look-up for all of them."""
    tokens = {
        number: id_like(_texts(reading))
        for number, reading, handling in messages
        if isinstance(reading, Reading) and handling.code in CODES
    }
    if not tokens:
        return {}
    known = tx.ledger.looking_like(sorted({form for each in tokens.values() for form in each}))
    found: dict[int, tuple[str, ...]] = {}
    for number, each in tokens.items():
        said = [
            _sentence(voucher, written) for form, written in each.items() for voucher in known.get(form, ())
        ]
        if said:
            found[number] = tuple(said[:MOST])
    return found


def suggestions_now(tx: Transaction, reading: Reading | Unreadable) -> tuple[str, ...]:
    """The same for one message, by what is known now."""
    tokens = id_like(_texts(reading)) if isinstance(reading, Reading) else {}
    known = tx.ledger.looking_like(sorted(tokens))
    said = [_sentence(one, written) for form, written in tokens.items() for one in known.get(form, ())]
    return tuple(said[:MOST])


def _sentence(voucher: str, written: str) -> str:
    same = voucher_key(voucher) == voucher_key(written)
    return f'{voucher} ("{written[:60]}" {"names it" if same else "looks like it"})'


def _texts(reading: Reading) -> list[str]:
    """Every text of a message, the shortest way to an ID first."""
    mail = reading.mail
    texts = [mail.subject, *(one.text for one in reading.candidates if one.fact == "voucher_id")]
    texts += [mail.text, mail.html, *(hop.subject for hop in reading.hops)]
    texts += [child.text or child.html for child in mail.children]
    texts += [sheet.text for sheet in mail.sheets]
    texts += [attachment.name for attachment in mail.attachments]
    return texts
