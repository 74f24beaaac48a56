"""Which charset a sender means, and the text that its bytes say.

An allow-list: a name is looked up among the text encodings that mail is written in, never among everything
that Python can decode (`idna`, `undefined` or `base64` are codecs too).
"""

from __future__ import annotations

import codecs
import re

# What senders write and what they mean by it (WHATWG Encoding Standard: Latin-1 is read as Windows-1252,
# the Korean, Chinese and Japanese names as the superset that the sender's programme really used).
_MEANT = {
    "ks_c_5601-1987": "cp949",
    "ks_c_5601": "cp949",
    "ksc5601": "cp949",
    "euc-kr": "cp949",
    "euckr": "cp949",
    "korean": "cp949",
    "windows-949": "cp949",
    "gb2312": "gb18030",
    "gb_2312-80": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "cp936": "gb18030",
    "windows-936": "gb18030",
    "chinesebig5": "big5hkscs",
    "big5": "big5hkscs",
    "cn-big5": "big5hkscs",
    "shift-jis": "cp932",
    "shift_jis": "cp932",
    "sjis": "cp932",
    "x-sjis": "cp932",
    "windows-31j": "cp932",
    "iso-2022-jp": "iso2022_jp_ext",
    "cp50220": "iso2022_jp_ext",
    "cp50221": "iso2022_jp_ext",
    "windows-874": "cp874",
    "iso-8859-1": "cp1252",
    "iso8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "iso-8859-8-i": "iso8859-8",
    "iso-8859-8-e": "iso8859-8",
    "iso-8859-9": "cp1254",
    "cp-850": "cp850",
    "unicode-1-1-utf-8": "utf-8",
    "utf8mb4": "utf-8",
    "utf-8-sig": "utf-8",
    "unicode-1-1-utf-7": "utf-7",
    "macintosh": "mac-roman",
    "x-mac-roman": "mac-roman",
    "x-mac-cyrillic": "mac-cyrillic",
}
# RFC 1428 and sloppy senders: names that say "I do not know", read as if no charset were given. us-ascii
# belongs here, since text that is marked so and is not ASCII was marked by habit.
_UNSAID = frozenset(
    ("", "us-ascii", "ascii", "ansi_x3.4-1968", "unknown-8bit", "x-unknown", "unknown")
) | frozenset(("8bit", "7bit", "binary", "default", "default_charset", "x-user-defined", "none", "text"))
_KNOWN = re.compile(
    r"utf-(8|7|16|16-le|16-be|32|32-le|32-be)|ascii|iso8859-\d{1,2}|cp(037|125\d|437|7\d\d|8[5-7]\d|932|949|950|1140)"
    r"|koi8-[rtu]|kz1048|ptcp154|tis-620|mac-[a-z]+|gb18030|gbk|gb2312|hz|big5|big5hkscs"
    r"|shift_jis|shift_jis_2004|shift_jisx0213|euc_jp|euc_jis_2004|euc_jisx0213|euc_kr|johab"
    r"|iso2022_(jp|jp_1|jp_2|jp_3|jp_2004|jp_ext|kr)"
)
_UNDEFINED_1252 = {code: chr(code) for code in (0x81, 0x8D, 0x8F, 0x90, 0x9D)}
_META = re.compile(rb"charset\s{0,4}=\s{0,4}[\"']?([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
_NAME_LIMIT = 40


class UnknownCharsetError(Exception):
    """The sender names a charset that voucherd does not know: what the text says would be a guess."""

    def __init__(self, name: str) -> None:
        super().__init__(f"unknown charset '{name[:_NAME_LIMIT]}'")


def codec_of(name: str) -> str | None:
    """The Python codec for a charset name as mail writes it, None where the name says nothing.

    Raises UnknownCharsetError for a name outside the allow-list.
    """
    plain = name.strip(" \t\r\n\"';").lower()
    if plain in _UNSAID:
        return None
    if plain in _MEANT:
        return _MEANT[plain]
    if len(plain) > _NAME_LIMIT or not plain.isascii() or not plain.isprintable():
        raise UnknownCharsetError(plain.encode("ascii", "replace").decode())
    try:
        codec = codecs.lookup(plain).name
    except LookupError:
        raise UnknownCharsetError(plain) from None
    if _KNOWN.fullmatch(codec) is None:
        raise UnknownCharsetError(plain)
    return codec


def meta_charset(html: bytes) -> str:
    """The charset that an HTML document states in its first kilobyte, empty where it states none."""
    found = _META.search(html, 0, 1024)
    return found[1].decode("ascii") if found else ""


def guess(content: bytes) -> str:
    """Text without a stated charset: UTF-8 where it is valid, else Windows-1252; never fails."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return _windows_1252(content)


def decode(content: bytes, name: str) -> str:
    """The text of a part whose charset the sender calls `name`; bytes that do not fit become U+FFFD.

    Raises UnknownCharsetError. Lone surrogates, which no Unicode text holds, become U+FFFD too.
    """
    codec = codec_of(name)
    if codec is None:
        return guess(content)
    if codec == "cp1252":
        return _windows_1252(content)
    text = content.decode(codec, "replace")
    return text.encode("utf-8", "replace").decode("utf-8") if codec.startswith("utf-") else text


def breaks_off(content: bytes, name: str) -> bool:
    """Whether UTF-8 text ends in the middle of a character, which only a cut does."""
    if codec_of(name) != "utf-8":
        return False
    return _open_sequence(content[-3:])


def _open_sequence(tail: bytes) -> bool:
    for back, byte in enumerate(reversed(tail), start=1):
        if byte < 0x80:
            return False
        if byte >= 0xC0:
            wanted = 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2
            return back < wanted
    return False


def _windows_1252(content: bytes) -> str:
    # Python's table leaves five bytes undefined; every mail programme shows them as the control they are.
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError:
        return content.decode("latin-1").translate(_C1_TO_1252)


_C1_TO_1252 = {
    code: _UNDEFINED_1252.get(code) or bytes((code,)).decode("cp1252") for code in range(0x80, 0xA0)
}
