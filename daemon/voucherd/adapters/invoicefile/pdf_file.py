"""Opening a foreign PDF with pypdf: for a worker under limits only (PROMISES.md, Defences, PDF)."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from voucherd.adapters.invoicefile.refusal import RefusedFileError

if TYPE_CHECKING:
    from pypdf import PdfReader
    from pypdf.generic import PdfObject

MAX_BYTES: Final = 32 * 1024 * 1024
_MAX_ENTRIES: Final = 1_000


def opened(content: bytes) -> PdfReader:
    """The PDF; RefusedFileError where it is too large or has a password. To be called inside `refusing`."""
    if len(content) > MAX_BYTES:
        raise RefusedFileError(f"the PDF has {len(content):,} bytes, more than {MAX_BYTES:,}")
    from pypdf import PdfReader

    reader = PdfReader(io.BytesIO(content), strict=False)
    if reader.is_encrypted and not reader.decrypt(""):
        raise RefusedFileError("the PDF is encrypted: ask its sender for one that opens without a password")
    return reader


def array(value: PdfObject | None) -> list[PdfObject]:
    """The entries of an array, the first 1,000 of them; none where it is something else."""
    from pypdf.generic import ArrayObject

    found = resolved(value)
    return list(found)[:_MAX_ENTRIES] if isinstance(found, ArrayObject) else []


def resolved(value: PdfObject | None) -> PdfObject | None:
    """What a reference leads to."""
    return value.get_object() if value is not None else None


@contextmanager
def refusing() -> Iterator[None]:
    """Whatever pypdf raises on a foreign file says that the file is broken; memory and time end the worker."""
    from pypdf.errors import PyPdfError

    try:
        yield
    except (
        PyPdfError,
        ArithmeticError,
        AssertionError,
        AttributeError,
        LookupError,
        OSError,
        RuntimeError,  # NotImplementedError and RecursionError among them
        TypeError,
        ValueError,
    ) as error:
        raise RefusedFileError(
            f"the PDF cannot be opened ({type(error).__name__}): {_short(error)}"
        ) from None


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:120] or "no reason given"
