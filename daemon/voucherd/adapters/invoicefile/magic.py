"""What a file is by its first bytes: looked at, never parsed, so that the daemon may ask."""

from __future__ import annotations

from voucherd.adapters.invoicefile.signed import is_signed

PDF, XML, SIGNED = "pdf", "xml", "signed"

_HEAD = 1024
_BLANK = b" \t\r\n\x00"
_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
_XML_STARTS = (b"<", b"+ADw-", b"\x4c\x6f\xa7\x94")  # also as UTF-7, and `<?xm` in EBCDIC
_XML_TYPES = ("text/xml", "application/xml")
_SIGNED_TYPES = ("application/pkcs7-mime", "application/x-pkcs7-mime")


def format_of(name: str, media_type: str, content: bytes) -> str:
    """`pdf`, `xml`, `signed` (an envelope around one), or empty where the file is none of these. A name or media type
    that says so counts where the content says nothing: a broken file is told from one that nobody meant to be read."""
    head = content[:_HEAD]
    if is_signed(head):
        return SIGNED
    if b"%PDF-" in head:
        return PDF
    bare = head
    for mark in _MARKS:
        bare = bare.removeprefix(mark)
    if bare.lstrip(_BLANK).startswith(_XML_STARTS):
        return "" if _is_page(bare) else XML
    kind = media_type.partition(";")[0].strip().lower()
    if name.lower().endswith(".pdf") or kind == "application/pdf":
        return PDF
    if name.lower().endswith(".p7m") or kind in _SIGNED_TYPES:
        return SIGNED
    if name.lower().endswith(".xml") or kind in _XML_TYPES or kind.endswith("+xml"):
        return XML
    return ""


def is_structured(name: str, media_type: str, content: bytes) -> bool:
    """Whether a file may be an electronic invoice: XML, a PDF, or a signed one of these."""
    return bool(format_of(name, media_type, content))


def _is_page(head: bytes) -> bool:
    """HTML: a page for people, no document of ours."""
    start = head.lstrip(_BLANK)[:64].lower()
    return start.startswith((b"<!doctype html", b"<html"))
