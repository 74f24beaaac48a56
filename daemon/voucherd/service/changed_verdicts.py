"""What partners were told of their lines, once that is no longer so: a redemption came, a person decided, another
invoice or a corrected date changed what a line is. Each change is told once, in a mail per invoice with its lines.

Not a change: another reason for the same thing to do. A credit note by itself changes no line before it, nor does a
write-off: of these nobody is told here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from voucherd.domain.reconciliation.documents import DocumentStatus
from voucherd.domain.reconciliation.lines import ACCEPTED, LineClass
from voucherd.domain.rulebook import Rulebook
from voucherd.service.judged_documents import Judged, judged
from voucherd.service.recording import record_instant
from voucherd.service.store import Store, Transaction
from voucherd.service.verdicts import note_told, verdict_mails

_AT_ONCE = 100
_SAME_TO_DO = {LineClass.TWICE: LineClass.OVER, **dict.fromkeys(ACCEPTED, LineClass.MATCHED)}
"""Classes that ask the same of the partner."""


def tell_changes(store: Store, rules: Rulebook, key: bytes, now: datetime) -> int:
    """Puts what changed since into the outbox; returns how many mails that were."""
    with store.read() as tx:
        if not tx.told.any_doubtful():
            return 0
    made = 0
    while True:
        with store.write() as tx:
            instant = record_instant(tx, now)
            numbers = tx.told.take_doubtful(_AT_ONCE)
            if not numbers:
                return made
            made += _tell(tx, rules, judged(tx, rules, numbers, instant), key, instant)


def _tell(tx: Transaction, rules: Rulebook, documents: list[Judged], key: bytes, now: datetime) -> int:
    told = tx.told.refused([one.stored.number for one in documents])
    changed = [some for one in documents if (some := _changed(one, told)) is not None]
    if rules.verdicts == "off":
        changed = []
    mails = verdict_mails(changed, {}, None, rules, key, now, news=f"changed|{now.isoformat()}", changed=True)
    tx.outbox.add(mails)
    whole = {one.stored.number: one for one in documents}
    note_told(tx, [whole[one.stored.number] for one in changed])
    return len(mails)


def _changed(document: Judged, told: Mapping[int, str]) -> Judged | None:
    """The document with the lines that are otherwise than they were told; None where there is none."""
    lines = [
        verdict
        for verdict in document.lines
        if _to_do(told.get(verdict.line.number, LineClass.MATCHED)) != _to_do(verdict.line_class)
    ]
    if not lines or document.verdict.status is DocumentStatus.RESENT:
        return None
    return replace(document, lines=lines)


def _to_do(line_class: str) -> str:
    return _SAME_TO_DO.get(LineClass(line_class), LineClass(line_class))
