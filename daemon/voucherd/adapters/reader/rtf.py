"""The text of a compressed RTF body ([MS-OXRTFCP]), as Outlook keeps it where it sends nothing else.

The libraries are those of the extra `outlook`; they are imported in the worker alone, and what they cannot do in
linear time is taken out of the text before they see it.
"""

from __future__ import annotations

from typing import Final

EXTRA: Final = "voucherd[outlook]"
_MAX_COMPRESSED: Final = 512 * 1024
_MAX_RTF: Final = 2 * 1024 * 1024
_MAX_FONTS: Final = 20_000
_MAX_TEXT: Final = 1_000_000


class UnreadRtfError(Exception):
    """The body is left unread; the sentence says why."""


def text_of(compressed: bytes) -> str:
    """The text. Raises UnreadRtfError where the extra is not installed, beyond a limit, or for what is no RTF."""
    try:
        from compressed_rtf import decompress
        from striprtf.striprtf import rtf_to_text
    except ImportError:
        raise UnreadRtfError(f"its text is only RTF, and {EXTRA} is not installed") from None
    if len(compressed) > _MAX_COMPRESSED or int.from_bytes(compressed[4:8], "little") > _MAX_RTF:
        raise UnreadRtfError("its RTF text is larger than what is read")
    try:
        raw = decompress(compressed)
    except Exception:  # noqa: BLE001 - the library raises anything, Exception itself included
        raise UnreadRtfError("its RTF text cannot be unpacked") from None
    if len(raw) > _MAX_RTF:
        raise UnreadRtfError("its RTF text is larger than what is read")
    if not raw.startswith(b"{\\rtf"):
        raise UnreadRtfError("its RTF text is none")
    try:
        text = rtf_to_text(_tamed(raw.decode("latin-1")), errors="replace")  # type: ignore[no-untyped-call]
    except Exception:  # noqa: BLE001 - as above; the text is a stranger's
        raise UnreadRtfError("its RTF text cannot be read") from None
    return str(text)[:_MAX_TEXT].replace("\r\n", "\n").replace("\0", "")


def _tamed(text: str) -> str:
    """The RTF without what striprtf's patterns take more than linear time for: links, and large font tables."""
    fonts = text.find("\\fonttbl")
    if fonts >= 0 and text.find("\\f", fonts + _MAX_FONTS) >= 0 and _group_length(text, fonts) > _MAX_FONTS:
        raise UnreadRtfError("its RTF text has a font table larger than what is read")
    return text.replace("\\fldinst", "\\fldnone").replace("\\FLDINST", "\\fldnone")


def _group_length(text: str, start: int) -> int:
    depth = 1
    for at in range(start, min(len(text), start + _MAX_FONTS + 1)):
        depth += (text[at] == "{") - (text[at] == "}")
        if depth == 0:
            return at - start
    return _MAX_FONTS + 1
