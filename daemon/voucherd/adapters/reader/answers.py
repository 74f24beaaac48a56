"""What a worker may hand back: the value classes named here, dates, and plain data. Nothing else is built.

A worker has handled foreign bytes and is not trusted: a pickle that names any other class is refused.
"""

from __future__ import annotations

import io
import pickle
from datetime import date, datetime, timedelta, timezone
from typing import Final

from voucherd.domain import message, sheets
from voucherd.domain.reconciliation import document, inconsistent, remittances

_CLASSES: Final[tuple[type, ...]] = (
    message.Address,
    message.Attachment,
    message.Candidate,
    message.Hop,
    message.ParsedMail,
    message.Reading,
    message.Unreadable,
    sheets.Export,
    sheets.ExportRow,
    sheets.Sheet,
    document.InvoiceDocument,
    document.InvoiceLine,
    document.Totals,
    inconsistent.Inconsistent,
    inconsistent.Mismatch,
    inconsistent.Sought,
    remittances.RemittanceAdvice,
    remittances.RemittanceRow,
    remittances.PaymentStatus,
    date,
    datetime,
    timedelta,
    timezone,
)
_ALLOWED: Final = {(one.__module__, one.__qualname__): one for one in _CLASSES}


class _Answers(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> type:
        """The class, where it is one that a worker may hand back. Raises UnpicklingError otherwise."""
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"{module}.{name} is not a value") from None


def loads(payload: bytes) -> object:
    """The answer in a frame. Raises pickle.UnpicklingError for everything that is not plain values."""
    try:
        return _Answers(io.BytesIO(payload)).load()
    except (ValueError, TypeError, AttributeError, LookupError, EOFError, ArithmeticError) as error:
        raise pickle.UnpicklingError(str(error)) from error
