"""What the writer of an answer wrote in it: without what is quoted, a signature, and what a phone adds.

Top-posted, bottom-posted or between the quoted lines. Where a mail program quotes without any mark on the lines,
everything below its header lines is taken as quoted.
"""

from __future__ import annotations

from voucherd.domain.forwards import Unwrapped
from voucherd.domain.mail_parts import Message
from voucherd.domain.text_lines import Line

MAX_OWN_LINES = 60
MAX_OWN_LENGTH = 300
_SIGNATURES = frozenset(("--", "—", "__", "___"))
_FOOTERS = (
    "sent from my ", "sent via ", "get outlook for ", "sent with ",
    "나의 iphone에서 보냄", "내 iphone에서 보냄", "나의 ipad에서 보냄", "내 galaxy에서 보냄", "휴대폰에서 보냄",
    "outlook for ios 다운로드", "ios용 outlook", "android용 outlook", "갤럭시에서 보냈습니다",
    "von meinem ", "gesendet von ", "diese nachricht wurde von meinem ", "holen sie sich outlook", "outlook für ",
    "envoyé de mon ", "envoyé depuis ", "obtenir outlook", "télécharger outlook",
    "enviado desde mi ", "enviado desde ", "obtener outlook", "enviado do meu ", "enviado de meu ", "obter o outlook",
    "iphoneから送信", "ipadから送信", "outlook for ios を入手", "スマートフォンから送信",
    "发自我的", "从我的", "发送自", "获取 outlook", "下载 outlook",
)  # fmt: skip
"""How the lines begin that a phone or a mail program adds of itself; lower case."""


def own_words(message: Message) -> tuple[str, ...]:
    """The lines that the writer added, without blank ones; the text part counts, the HTML where there is none."""
    part = message.text if any(line.text for line in message.text.lines) else message.html
    kept: list[str] = []
    signed = False
    for line in _unquoted(part):
        if line is None:  # after a quotation the writer goes on
            signed = False
        elif not line.text or signed:
            continue
        elif line.text in _SIGNATURES:
            signed = True
        elif not line.text.casefold().startswith(_FOOTERS):
            kept.append(line.text[:MAX_OWN_LENGTH])
            if len(kept) == MAX_OWN_LINES:
                break
    return tuple(kept)


def _unquoted(part: Unwrapped) -> list[Line | None]:
    """The lines without quotation marks, up to where something is quoted without marks; None stands for quoted
    lines in between."""
    heads = {found.begin: found.body for found in part.found}
    heads.update({begin: begin + _span(part.lines, begin) for begin in part.quoted})
    found: list[Line | None] = []
    at = 0
    while at < len(part.lines):
        line = part.lines[at]
        if line.depth:
            found.append(None)
            at += 1
        elif at in heads:
            body = max(heads[at], at + 1)
            if not _marked(part.lines, body):
                break
            found.append(None)
            at = body
        else:
            found.append(line)
            at += 1
    return found


def _span(lines: tuple[Line, ...], begin: int) -> int:
    """How many lines an attribution takes: it ends with a colon, mail programs break it once."""
    return 1 if lines[begin].text.endswith((":", "：")) else 2


def _marked(lines: tuple[Line, ...], body: int) -> bool:
    """Whether what is quoted from `body` on bears marks, so that lines without one are the writer's again."""
    first = next((line for line in lines[body:] if line.text), None)
    return first is not None and first.depth > 0
