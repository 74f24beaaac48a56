"""Which document of each key bills: the copies and the contradictions among what was handed in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from voucherd.domain.reconciliation.content import invoice_key


class DocumentStatus(StrEnum):
    """Whether a document's lines count."""

    ACCEPTED = "accepted"
    RESENT = "resent"
    CONFLICT = "conflict"


class DocumentKey(NamedTuple):
    """What makes two documents one: `invoice` normalised; `year` only where the supplier restarts its numbers."""

    supplier: str | None
    invoice: str
    kind: str
    year: int | None = None


def document_key(supplier: str | None, invoice: str, kind: str, year: int | None = None) -> DocumentKey:
    """The key of a document from its number as written."""
    return DocumentKey(supplier, invoice_key(invoice), kind, year)


@dataclass(frozen=True, slots=True)
class KnownDocument:
    """A document of the store: `number` is the store's own, counted in the order of arrival. One that `corrects`
    another has the key of that one."""

    number: int
    key: DocumentKey
    issued_on: date
    content_sha256: str
    corrects: bool = False


@dataclass(frozen=True, slots=True)
class DocumentVerdict:
    """What becomes of a document and why; `of` is the document that counts in its place, None where it counts."""

    status: DocumentStatus
    reason: str
    of: int | None = None


_ACCEPTED = DocumentVerdict(DocumentStatus.ACCEPTED, "the first of its number")


def judge_documents(
    documents: Iterable[KnownDocument], chosen: Mapping[DocumentKey, str] | None = None
) -> dict[int, DocumentVerdict]:
    """The verdict of each document by its number (RECONCILIATION.md, Document step).

    Of several contents under one key the first by (issued on, digest) bills, never by arrival, and a corrected invoice
    after what it corrects, unless a person chose another (`chosen`: key -> content digest). Among files with the same
    content the first to arrive bills and the others are copies: they say the same, so nothing depends on which it is.
    """
    choices = chosen or {}
    by_key: dict[DocumentKey, list[KnownDocument]] = {}
    for document in documents:
        by_key.setdefault(document.key, []).append(document)
    verdicts: dict[int, DocumentVerdict] = {}
    for key, same in by_key.items():
        if len(same) == 1:
            verdicts[same[0].number] = _ACCEPTED
        else:
            verdicts.update(_judge_key(same, choices.get(key)))
    return verdicts


def _judge_key(same: list[KnownDocument], choice: str | None) -> Iterable[tuple[int, DocumentVerdict]]:
    contents = {document.content_sha256 for document in same}
    if choice in contents:
        content, how = choice, "a person chose it among several contents of this number"
    else:
        first = min(same, key=lambda one: (one.corrects, one.issued_on, one.content_sha256))
        content, how = first.content_sha256, "the first content of its number"
    counted = min((one for one in same if one.content_sha256 == content), key=lambda one: one.number)
    billing = counted.number
    for document in same:
        if document.content_sha256 != content:
            reason = _why_not(document, counted)
            verdict = DocumentVerdict(DocumentStatus.CONFLICT, reason, billing)
        elif document.number != billing:
            verdict = DocumentVerdict(DocumentStatus.RESENT, f"says what document {billing} says", billing)
        elif len(contents) == 1:
            verdict = _ACCEPTED
        else:
            verdict = DocumentVerdict(DocumentStatus.ACCEPTED, how)
        yield document.number, verdict


def _why_not(document: KnownDocument, counted: KnownDocument) -> str:
    if document.corrects and not counted.corrects:
        return f"it corrects document {counted.number}, which counts until a person chooses this one"
    if counted.corrects and not document.corrects:
        return f"a person chose document {counted.number}, which corrects it"
    return f"another content of this number counts: document {counted.number}"
