"""The files inside a PDF, and its text: for a worker under limits only (PROMISES.md, Defences, PDF)."""

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
MAX_FILES: Final = 50
MAX_NODES: Final = 1_000
_XML_STARTS = (b"<", b"\xef\xbb\xbf<", b"\xff\xfe<", b"\xfe\xff\x00<")


def embedded_xml(content: bytes) -> list[tuple[str, bytes]]:
    """The XML files inside a PDF, by name, whatever their names are: those of its name tree and those associated
    with the document (/AF). The same file under two names is one. RefusedFileError where it cannot be opened."""
    if len(content) > MAX_BYTES:
        raise RefusedFileError(f"the PDF has {len(content):,} bytes, more than {MAX_BYTES:,}")
    with _refusing():
        found: dict[bytes, str] = {}
        for name, data in _files(_opened(content)):
            if data.lstrip(b" \t\r\n").startswith(_XML_STARTS):
                found.setdefault(data, name)
        return [(name, data) for data, name in found.items()]


def _opened(content: bytes) -> PdfReader:
    from pypdf import PdfReader

    reader = PdfReader(io.BytesIO(content), strict=False)
    if reader.is_encrypted and not reader.decrypt(""):
        raise RefusedFileError("the PDF is encrypted: ask its sender for one that opens without a password")
    return reader


def _files(reader: PdfReader) -> Iterator[tuple[str, bytes]]:
    from pypdf.generic import DictionaryObject, StreamObject

    root = reader.root_object
    specifications = [_resolved(one) for one in _array(root.get("/AF"))]
    names = _resolved(root.get("/Names"))
    if isinstance(names, DictionaryObject):
        specifications += list(_leaves(_resolved(names.get("/EmbeddedFiles"))))
    for number, one in enumerate(specifications):
        if number >= MAX_FILES:
            raise RefusedFileError(f"the PDF holds more than {MAX_FILES} files")
        streams = _resolved(one.get("/EF")) if isinstance(one, DictionaryObject) else None
        if not isinstance(one, DictionaryObject) or not isinstance(streams, DictionaryObject):
            continue
        stream = _resolved(streams.get("/UF") or streams.get("/F"))
        if isinstance(stream, StreamObject):
            yield str(one.get("/UF") or one.get("/F") or "")[:200], stream.get_data()


def _leaves(tree: PdfObject | None) -> Iterator[PdfObject | None]:
    """The values of a name tree; a tree that leads back to itself ends with a refusal."""
    from pypdf.generic import DictionaryObject

    waiting, seen = [tree], 0
    while waiting:
        node = waiting.pop()
        seen += 1
        if seen > MAX_NODES:
            raise RefusedFileError(f"the PDF's list of files has more than {MAX_NODES:,} nodes")
        if isinstance(node, DictionaryObject):
            pairs = list(_array(node.get("/Names")))
            for one in pairs[1::2]:
                yield _resolved(one)
            waiting += [_resolved(kid) for kid in _array(node.get("/Kids"))]


def _array(value: PdfObject | None) -> list[PdfObject]:
    from pypdf.generic import ArrayObject

    found = _resolved(value)
    return list(found)[:MAX_NODES] if isinstance(found, ArrayObject) else []


def _resolved(value: PdfObject | None) -> PdfObject | None:
    return value.get_object() if value is not None else None


@contextmanager
def _refusing() -> Iterator[None]:
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
        NotImplementedError,
    ) as error:
        raise RefusedFileError(
            f"the PDF cannot be opened ({type(error).__name__}): {_short(error)}"
        ) from None
    except (OSError, RecursionError, TypeError, ValueError) as error:
        raise RefusedFileError(
            f"the PDF cannot be opened ({type(error).__name__}): {_short(error)}"
        ) from None


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:120] or "no reason given"
