"""Why an invoice file is not taken in: a sentence for a person, and the review code (CONTRACT.md, `review`)."""

from __future__ import annotations

UNREADABLE = "invoice-unreadable"
INCONSISTENT = "invoice-inconsistent"


class RefusedFileError(Exception):
    """The file is not read further; `code` is a review code."""

    def __init__(self, reason: str, code: str = UNREADABLE) -> None:
        super().__init__(reason)
        self.code = code
