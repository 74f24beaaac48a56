"""HTML to lines of text, in linear time and without fetching anything.

selectolax reads the document and an own walk, without recursion, tells `layout` what it meets. A document that
would make the tree expensive (MAIL.md: 27 s for 100,000 open tags) is only stripped of its tags.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Final

from selectolax.lexbor import LexborHTMLParser, LexborNode

from voucherd.adapters.reader.layout import UNSEEN, Layout

MAX_HTML: Final = 2 * 1024 * 1024
MAX_OPEN: Final = 5_000
MAX_OPEN_FORMATTING: Final = 200
MAX_ATTRIBUTES: Final = 500

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,30})([^<>]*)>")
_VOID = frozenset(
    (
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "wbr",
    )
)
# The tree builder opens these again in every block that follows (HTML standard, 13.2.4.3): left open in
# numbers they make a small document a huge tree.
_FORMATTING = frozenset(
    ("a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u")
)
_HIDDEN_STYLE = re.compile(r"display\s{0,9}:\s{0,9}none|visibility\s{0,9}:\s{0,9}hidden", re.IGNORECASE)
_MAY_HIDE = re.compile(r"hidden|display", re.IGNORECASE)
_LONG_REFERENCE = re.compile(r"&#(?:[0-9]{8,}|[xX][0-9a-fA-F]{7,});?")


def to_text(html: str) -> str:
    """The lines that a reader of the document sees, joined by a line feed."""
    if "\x00" in html:
        html = html.replace("\x00", "")
    if len(html) > MAX_HTML or _too_open(html):
        return _stripped(html)
    return _walked(html)


def has_image(html: str) -> bool:
    """Whether the document shows a picture."""
    return any(tag[2].lower() == "img" for tag in _TAG.finditer(html))


def _too_open(html: str) -> bool:
    level = formatting = 0
    for tag in _TAG.finditer(html):
        # Each attribute is compared with all before it.
        if len(tag[3]) > MAX_ATTRIBUTES and len(tag[3].split()) > MAX_ATTRIBUTES:
            return True
        name = tag[2].lower()
        if name in _VOID:
            continue
        step = -1 if tag[1] else 1
        level = max(0, level + step)
        if name in _FORMATTING:
            formatting = max(0, formatting + step)
        if level > MAX_OPEN or formatting > MAX_OPEN_FORMATTING:
            return True
    return False


def _walked(html: str) -> str:
    layout = Layout()
    hides = _MAY_HIDE.search(html) is not None
    # Every node above the one at hand that was opened and must be closed again.
    above: list[tuple[LexborNode, str]] = []
    node: LexborNode | None = LexborHTMLParser(html).root
    while node is not None:
        tag = node.tag or ""
        child: LexborNode | None = None
        if tag == "-text":
            layout.text(node.text_content or "")
        elif not tag.startswith("-") and tag not in UNSEEN and not (hides and _hidden(node)):
            layout.open(tag)
            child = node.first_child
            if child is None and tag != "br":
                layout.close(tag)
        if child is not None:
            above.append((node, tag))
            node = child
            continue
        following = node.next
        while following is None and above:
            parent, closed = above.pop()
            layout.close(closed)
            following = parent.next if above else None
        node = following
    return layout.lines()


def _hidden(node: LexborNode) -> bool:
    attributes = node.attributes
    if not attributes:
        return False
    return "hidden" in attributes or bool(_HIDDEN_STYLE.search((attributes.get("style") or "")[:2000]))


def _stripped(html: str) -> str:
    layout = Layout()
    at, unseen = 0, ""
    html = _without_comments(html)
    for tag in _TAG.finditer(html):
        if not unseen and tag.start() > at:
            layout.text(_unescaped(html[at : tag.start()]))
        at = tag.end()
        name = tag[2].lower()
        if unseen:
            unseen = "" if tag[1] and name == unseen else unseen
        elif name in UNSEEN and not tag[1] and not tag[3].endswith("/"):
            unseen = name
        elif tag[1]:
            layout.close(name)
        else:
            layout.open(name)
    if not unseen:
        layout.text(_unescaped(html[at:]))
    return layout.lines()


def _without_comments(html: str) -> str:
    kept: list[str] = []
    at = 0
    while (start := html.find("<!--", at)) >= 0:
        kept.append(html[at:start])
        end = html.find("-->", start + 4)
        at = end + 3 if end >= 0 else len(html)
    return "".join([*kept, html[at:]])


def _unescaped(text: str) -> str:
    # int() refuses more than 4,300 digits with an exception; no character has a number of eight.
    return unescape(_LONG_REFERENCE.sub("\N{REPLACEMENT CHARACTER}", text)) if "&" in text else text
