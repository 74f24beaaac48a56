"""The files inside a PDF: for a worker under limits only (PROMISES.md, Defences, PDF)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from voucherd.adapters.invoicefile.pdf_file import array, opened, refusing, resolved
from voucherd.adapters.invoicefile.refusal import RefusedFileError

if TYPE_CHECKING:
    from pypdf import PdfReader
    from pypdf.generic import PdfObject

MAX_FILES: Final = 50
MAX_NODES: Final = 1_000
_XML_STARTS = (b"<", b"\xef\xbb\xbf<", b"\xff\xfe<", b"\xfe\xff\x00<")


def embedded_xml(content: bytes) -> list[tuple[str, bytes]]:
    """The XML files inside a PDF, by name, whatever their names are: those of its name tree and those associated
    with the document (/AF). The same file under two names is one. RefusedFileError where it cannot be opened."""
    with refusing():
        found: dict[bytes, str] = {}
        for name, data in _files(opened(content)):
            if data.lstrip(b" \t\r\n").startswith(_XML_STARTS):
                found.setdefault(data, name)
        return [(name, data) for data, name in found.items()]


def _files(reader: PdfReader) -> Iterator[tuple[str, bytes]]:
    from pypdf.generic import DictionaryObject, StreamObject

    root = reader.root_object
    specifications = [resolved(one) for one in array(root.get("/AF"))]
    names = resolved(root.get("/Names"))
    if isinstance(names, DictionaryObject):
        specifications += list(_leaves(resolved(names.get("/EmbeddedFiles"))))
    for number, one in enumerate(specifications):
        if number >= MAX_FILES:
            raise RefusedFileError(f"the PDF holds more than {MAX_FILES} files")
        streams = resolved(one.get("/EF")) if isinstance(one, DictionaryObject) else None
        if not isinstance(one, DictionaryObject) or not isinstance(streams, DictionaryObject):
            continue
        stream = resolved(streams.get("/UF") or streams.get("/F"))
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
            pairs = list(array(node.get("/Names")))
            for one in pairs[1::2]:
                yield resolved(one)
            waiting += [resolved(kid) for kid in array(node.get("/Kids"))]
