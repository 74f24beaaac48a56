"""A template read block by block says what it says as a whole, and what is the same in many mails is read once."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from voucherd.adapters.letters.blocks import blocks_of, page_of, text_of
from voucherd.adapters.letters.markdown import NOTHING, _parser, parse, to_html
from voucherd.adapters.letters.plaintext import to_lines
from voucherd.adapters.letters.styles import PLAIN, Look

PIECES = (
    "A paragraph.",
    "Two lines\nof a paragraph.",
    "# A heading",
    "text\n# A heading after it",
    "---",
    "* * *",
    "text\n---",
    "- one\n- two",
    "- one",
    "* star",
    "3. three",
    "4) four",
    "text\n- an item after it",
    "  two blanks before",
    "    four blanks before",
    "\ta tab before",
    "-",
    "> a quotation",
    "> - a list in it",
    ">\n> ---",
    "| a | b |\n|---|--:|\n| 1 | 2 |",
    "| | |\n|---|---|\n| a | b |",
    "| | |\n|---|---|\n| a | **b&#45;1** |\n| c | – |\n| a day: 2021-10-29 | two  words |",
    "| | |\n|---|---|\n| one |\n|\n||\n| | | three |\n| a | b | c | d ||  ",
    "| | |\n|---|---|\n| a | *b* [x](https://desk.example/x) &amp; &#38; < |\n| a | b",
    "| | |\n|---|---|\n| a \\| b | c\\ |",
    "| | | |\n|---|:-:|--:|\n| a | b | c |\n| \u2068א\u2069 | \u2068ב\u2069 | 3 |",
    "| | |\n|---|\n| a | b |",
    "| | |\n|---|---|\n| a | b |\nc",
    "| | |\n|---|---|\n| **a&#45;1** | " + "long " * 20 + "|\n| " + "long " * 12 + "| b |",
    "||\n|---|\n| alone |",
    "|\n|\n|",
    "| a |\n|---|",
    "   ",
    "*emphasis* and **more**",
    "**begun",
    "and ended**",
    "a  \nhard break",
    "[a link](https://desk.example/x)",
    "예약 利用券 “quoted”",
    "  \n- x",
    "-x",
    "1.x",
    "&#42; not a star",
)
LOOKS = (
    PLAIN,
    Look({".text p": "margin: 0", ".text .foot": "color: grey", ".facts td": 'font: "a>b"'}, "right"),
)
SEPARATORS = ("\n", "\n\n", "\n\n\n", "\n \n", "\n  \n\n")


@st.composite
def documents(draw: st.DrawFn) -> str:
    parts = draw(st.lists(st.tuples(st.sampled_from(PIECES), st.sampled_from(SEPARATORS)), max_size=7))
    return draw(st.sampled_from(("", "\n", "\n\n"))) + "".join(f"{piece}{gap}" for piece, gap in parts)


@given(documents())
def test_the_text_of_the_blocks_is_that_of_the_whole(markdown: str) -> None:
    whole = "\n".join(line.rstrip() for line in to_lines(parse(markdown))).strip("\n") + "\n"
    assert text_of(blocks_of(markdown, markdown)) == whole


@given(
    documents(),
    st.sampled_from(LOOKS),
)
def test_the_page_of_the_blocks_is_that_of_the_whole(markdown: str, look: Look) -> None:
    whole = to_html(parse(markdown), look.styles, side=look.side)
    assert page_of(blocks_of(markdown, markdown), look) == whole


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("piece", PIECES)
def test_a_block_alone_is_what_the_parser_makes_of_it(piece: str, look: Look) -> None:
    whole = _parser().parse(piece)
    alone = blocks_of(piece, piece)
    assert page_of(alone, look) == to_html(whole, look.styles, side=look.side)
    assert text_of(alone) == "\n".join(line.rstrip() for line in to_lines(whole)).strip("\n") + "\n"


@given(st.text(st.sampled_from("ab;#&4250*`_\\[]!<> \u00a0\n–"), max_size=30))
@example("**a&#45;b**")
@example("**a** b**")
@example("** a**")
@example("&#127;&#32;&#1234;&amp;")
def test_words_are_read_as_the_parser_reads_them(words: str) -> None:
    assert to_html(parse(words), foot=NOTHING) == _parser().render(words)


@pytest.mark.parametrize("piece", PIECES)
def test_a_block_is_the_same_object_in_every_mail(piece: str) -> None:
    first, second = (blocks_of(f"before\n\n{piece}", piece) for _ in range(2))
    assert all(one is other for one, other in zip(first, second, strict=True))


def test_items_of_a_list_stay_together_over_empty_lines_and_nothing_else_does() -> None:
    markdown = "a\n\n- b\n\n  c\n\n- d\n\ne\n\nf"
    assert [block.markdown for block in blocks_of(markdown, "")] == ["a", "- b\n\n  c\n\n- d", "e", "f"]


def test_what_one_mail_makes_of_a_block_does_not_change_it_for_the_next() -> None:
    markdown = "| Customer | Days |\n|---|---|\n| **Adatum** | 5 |\n\n---\n\nsmall"
    looks = [Look({}, "left"), Look({".rows td": "color: red"}, "right"), Look({}, "left")]
    pages = [page_of(blocks_of(markdown, ""), look) for look in looks for _ in range(2)]
    assert all(one == other for one, other in pairwise(pages[0:2]))
    assert pages[0] == pages[4] == pages[5]
    assert pages[0] != pages[2] == pages[3]


def test_a_very_long_block_is_written_too() -> None:
    long = "word " * 3000
    assert text_of(blocks_of(long, "")).split() == long.split()
