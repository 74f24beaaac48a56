"""What mails of the outbox that wait and are not written yet would say: composed for a list, and not kept.

They are composed for good when they go, with what is known then.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Final

from voucherd.errors import PermanentError
from voucherd.service.plain_letters import head_of, letter_of
from voucherd.service.ports import Composer
from voucherd.service.records import OutgoingMail

MOST: Final = 300  # a burst of thousands is not composed to be looked at: about a second


def subjects(composer: Composer, mails: Iterable[OutgoingMail]) -> dict[int, str]:
    """The subjects of the first `MOST` mails that have none yet, by number; not of one that no template can write."""
    found: dict[int, str] = {}
    for mail in islice((mail for mail in mails if mail.subject is None), MOST):
        try:
            found[mail.number] = composer.compose(letter_of(mail.letter), head_of(mail.head)).subject
        except PermanentError:
            continue
    return found
