"""Foreign XML, one element at a time: no document type, no entities, nothing fetched, and every size has a limit.

PROMISES.md, Defences: `<!DOCTYPE` is refused in every encoding, no network, no huge tree, depth at most 100.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException, DTDForbidden
from defusedxml.ElementTree import iterparse

from voucherd.adapters.invoicefile.refusal import RefusedFileError

MAX_BYTES: Final = 32 * 1024 * 1024
MAX_DEPTH: Final = 100
MAX_ELEMENTS: Final = 1_000_000
MAX_ATTRIBUTES: Final = 100
MAX_VALUE: Final = 64 * 1024
_DECLARED = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([^\"']{1,40})[\"']")
_ENCODINGS = re.compile(
    r"utf-?8|utf-?16(le|be)?|us-ascii|ascii|iso-?8859-?\d{1,2}|windows-125\d|cp125\d|latin1", re.IGNORECASE
)
# What is carried inside an invoice: pictures and papers in base64, signatures. Nobody reads them here.
_CARRIED = frozenset(
    ("EmbeddedDocumentBinaryObject", "AttachmentBinaryObject", "Attachment", "UBLExtensions", "Signature")
)
Handlers = Mapping[str, Callable[[Element], None]]


def root_of(content: bytes) -> tuple[str, str]:
    """Namespace and local name of the root element; nothing behind it is read. Raises RefusedFileError."""
    with _refusing():
        for _, element in iterparse(_source(content), events=("start",), forbid_dtd=True):
            namespace, _, name = str(element.tag).rpartition("}")
            return namespace.removeprefix("{"), name
    raise RefusedFileError("the XML holds no element")


def walk(content: bytes, handlers: Handlers) -> Element:
    """Reads a document and returns its root, every tag without its namespace.

    An element whose name is in `handlers` is handed over when it ends, and emptied then: a document of many lines
    takes the memory of one. Raises RefusedFileError where the file is beyond a limit or no well-formed XML.
    """
    with _refusing():
        return _walk(iterparse(_source(content), events=("start", "end"), forbid_dtd=True), handlers)


def _walk(events: Iterator[tuple[str, Element]], handlers: Handlers) -> Element:
    depth = count = 0
    root: Element | None = None
    for event, element in events:
        if event == "start":
            depth += 1
            count += 1
            root = element if root is None else root
            if depth > MAX_DEPTH:
                raise RefusedFileError(f"the XML is nested deeper than {MAX_DEPTH}")
            if count > MAX_ELEMENTS:
                raise RefusedFileError(f"the XML has more than {MAX_ELEMENTS:,} elements")
            _check_attributes(element)
            continue
        depth -= 1
        name = str(element.tag).rpartition("}")[2]
        element.tag = name
        if name in _CARRIED:
            element.clear()
        elif element.text is not None and len(element.text) > MAX_VALUE:
            raise RefusedFileError(f"<{name}> holds more than {MAX_VALUE:,} characters")
        if name in handlers:
            handlers[name](element)
            element.clear()
    if root is None:
        raise RefusedFileError("the XML holds no element")
    return root


def _check_attributes(element: Element) -> None:
    if len(element.attrib) > MAX_ATTRIBUTES:
        raise RefusedFileError(f"an element has more than {MAX_ATTRIBUTES} attributes")
    if any(len(value) > MAX_VALUE for value in element.attrib.values()):
        raise RefusedFileError(f"an attribute holds more than {MAX_VALUE:,} characters")


def _source(content: bytes) -> io.BytesIO:
    if len(content) > MAX_BYTES:
        raise RefusedFileError(f"the file has {len(content):,} bytes, more than {MAX_BYTES:,}")
    content = content.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")
    declared = _DECLARED.search(content[:1024].replace(b"\x00", b""))
    if declared is not None and not _ENCODINGS.fullmatch(declared[1].decode("ascii", "replace")):
        raise RefusedFileError(f"the encoding {declared[1].decode('ascii', 'replace')!r} is not read")
    return io.BytesIO(content)


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except DTDForbidden:
        raise RefusedFileError(
            "the XML has a <!DOCTYPE>, which no invoice needs and voucherd refuses"
        ) from None
    except DefusedXmlException as error:
        raise RefusedFileError(
            f"the XML has entities, which voucherd refuses ({type(error).__name__})"
        ) from None
    except (ParseError, ValueError, LookupError) as error:
        shown = str(error)[:200]
        raise RefusedFileError(f"the file is not well-formed XML: {shown}") from None
