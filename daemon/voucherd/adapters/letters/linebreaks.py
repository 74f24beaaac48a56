"""How wide text is in columns, and where a line of it may end.

Width follows Unicode Standard Annex 11 as terminals and fixed-width mails show it; where a line may end follows
Annex 14 as far as these mails need it: at spaces, and in Chinese and Japanese between characters, but with closing
signs never at a line's start and opening ones never at its end (kinsoku shori, JIS X 4051). Korean breaks at spaces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from unicodedata import category, east_asian_width

from voucherd.adapters.letters.kept import kept

AMBIGUOUS_IS_WIDE = frozenset({"ko", "ja", "zh"})
"""Languages whose fonts draw the ambiguous characters of Annex 11 (“ ” – … ①) as wide as their own."""

_KEPT = 4096  # labels, dates, sentences: most texts come up again and again
_LONGEST_KEPT = 300
_EMOJI_STYLE = "\ufe0f"
_NO_COLUMN = frozenset({"Mn", "Me", "Cf", "Cc"})
_SPACE = re.compile(r"[^\S\u00a0\u2007\u202f]+")  # a no-break space holds what it stands between together
_NOT_FIRST = frozenset(
    "!\"'%),.:;?]}°’”‥…‰℃"
    "、。〉》」』】〕〗〙〛〜〞〟〻・ー々ゝゞヽヾ゛゜‐–"
    "ぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶㇰㇱㇲㇳㇴㇵㇶㇷㇸㇹㇺㇻㇼㇽㇾㇿ"
    "！％），．：；？］｝｡｣､･ｰﾞﾟ\u00a0\u2007\u202f"
)
_NOT_LAST = frozenset("\"'([{#$£¥‘“〈《「『【〔〖〘〚〝＃＄（［｛｢￥€₩№\u00a0\u2007\u202f")


def width(text: str, *, ambiguous: int = 1) -> int:
    """How many columns the text takes in a terminal or a fixed-width mail; `ambiguous` is 2 where the reader's fonts
    draw ambiguous characters wide."""
    if text.isascii():
        return len(text)
    return _width(text, ambiguous)


@kept(_KEPT, _LONGEST_KEPT)
def _width(text: str, ambiguous: int) -> int:
    return sum(columns for _, columns in _graphemes(text, ambiguous))


def _graphemes(text: str, ambiguous: int) -> Iterator[tuple[str, int]]:
    """The signs as a reader counts them, each with its columns: combining marks, variation selectors, skin tones and
    joined emoji belong to the sign before them."""
    sign, columns, joined = "", 0, False
    for char in text:
        own = _columns(char, ambiguous)
        if sign and (own == 0 or joined or ("\U0001f3fb" <= char <= "\U0001f3ff" and columns == 2)):
            sign += char
            if char == _EMOJI_STYLE:
                columns = 2
        else:
            if sign:
                yield sign, columns
            sign, columns = char, own
        joined = char == "\u200d"
    if sign:
        yield sign, columns


def _columns(char: str, ambiguous: int) -> int:
    if char < "\u0300":
        return ambiguous if char > "\x7f" and east_asian_width(char) == "A" else 1
    if category(char) in _NO_COLUMN or "\u1160" <= char <= "\u11ff" or "\ud7b0" <= char <= "\ud7ff":
        return 0  # vowels and finals of decomposed Hangul stand in the cell of their initial
    kind = east_asian_width(char)
    return 2 if kind in "WF" else ambiguous if kind == "A" else 1


def wrap(text: str, room: int, *, ambiguous: int = 1) -> Sequence[str]:
    """The text in lines of at most `room` columns. At least one line; a word that is longer than a line is cut, an
    address of the web never."""
    return _wrapped(text, room, ambiguous)


@kept(_KEPT, _LONGEST_KEPT)
def _wrapped(text: str, room: int, ambiguous: int) -> tuple[str, ...]:
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line, used = "", 0
        for piece, spaced in _pieces(paragraph, room, ambiguous):
            columns = width(piece, ambiguous=ambiguous)
            gap = " " if spaced and line else ""
            if line and used + len(gap) + columns > room:
                lines.append(line)
                line, used = piece, columns
            else:
                line, used = line + gap + piece, used + len(gap) + columns
        lines.append(line)
    return tuple(lines)


def longest_piece(text: str, *, ambiguous: int = 1) -> int:
    """The columns of the longest part that stays together."""
    if text.isascii():
        return max(map(len, _SPACE.split(text)))
    return _longest_piece(text, ambiguous)


@kept(_KEPT, _LONGEST_KEPT)
def _longest_piece(text: str, ambiguous: int) -> int:
    return max(
        (width(atom, ambiguous=ambiguous) for word in _SPACE.split(text) for atom in _atoms(word)), default=0
    )


def _pieces(text: str, room: int, ambiguous: int) -> Iterator[tuple[str, bool]]:
    """Parts that a line may be broken between, and whether a space stands before each."""
    for word in _SPACE.split(text):
        spaced = True
        for atom in _atoms(word):
            for piece in _cut(atom, room, ambiguous):
                yield piece, spaced
                spaced = False


def _atoms(word: str) -> Iterator[str]:
    """The parts of a word that stay together."""
    if word.isascii():
        if word:
            yield word
        return
    atom = ""
    for sign, _ in _graphemes(word, 1):
        if atom and _may_break(atom[-1], sign[0]):
            yield atom
            atom = ""
        atom += sign
    yield atom


def _may_break(before: str, after: str) -> bool:
    if not (_free_standing(before) or _free_standing(after)):
        return False
    closes = after in _NOT_FIRST or category(after) in {"Pe", "Pf"} or after == "\u2069"
    opens = before in _NOT_LAST or category(before) in {"Ps", "Pi"} or before == "\u2068"
    return not (closes or opens)


def _free_standing(char: str) -> bool:
    """Whether the script of `char` is written without spaces: Han, kana and their punctuation, not Hangul."""
    return (
        "\u2e80" <= char <= "\u30ff"
        or "\u31f0" <= char <= "\u31ff"
        or "\u3400" <= char <= "\u9fff"
        or "\uf900" <= char <= "\ufaff"
        or "\uff01" <= char <= "\uff0f"
        or "\uff1a" <= char <= "\uff60"
        or "\U00020000" <= char <= "\U0003ffff"
    )


def _cut(atom: str, room: int, ambiguous: int) -> Iterator[str]:
    """The atom in parts of at most `room` columns, never inside a sign."""
    if "://" in atom or width(atom, ambiguous=ambiguous) <= room:
        yield atom
        return
    piece, used = "", 0
    for sign, columns in _graphemes(atom, ambiguous):
        if piece and used + columns > room:
            yield piece
            piece, used = "", 0
        piece, used = piece + sign, used + columns
    yield piece
