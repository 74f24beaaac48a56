"""Why an invoice file is not taken in: a sentence for a person, and the review code (CONTRACT.md, `review`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from voucherd.domain.message import Unreadable
from voucherd.domain.reconciliation.inconsistent import Inconsistent

UNREADABLE = "invoice-unreadable"
INCONSISTENT = "invoice-inconsistent"


@contextmanager
def among(documents: int) -> Iterator[None]:
    """Notes of a document that is refused within whether it is the only one of its file."""
    try:
        yield
    except RefusedFileError as error:
        if error.inconsistent is not None:
            error.inconsistent = replace(error.inconsistent, alone=documents == 1)
        raise


class RefusedFileError(Exception):
    """The file is not read further; `code` is a review code, `inconsistent` the document that does not add up."""

    def __init__(self, reason: str, code: str = UNREADABLE, inconsistent: Inconsistent | None = None) -> None:
        super().__init__(reason)
        self.code, self.inconsistent = code, inconsistent

    def about(self, file: str) -> Unreadable:
        """A reader's answer about the file of this name."""
        return Unreadable(f"{file}: {self}", self.code, inconsistent=self.inconsistent)
