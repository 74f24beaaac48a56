"""The text part: 72 columns, wide characters counted, tables as aligned blocks, no Markdown left."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voucherd.adapters.letters import blocks
from voucherd.adapters.letters.blocks import blocks_of, page_of
from voucherd.adapters.letters.linebreaks import longest_piece, width, wrap
from voucherd.adapters.letters.markdown import parse
from voucherd.adapters.letters.plaintext import COLUMNS
from voucherd.adapters.letters.sources import TemplateBroken
from voucherd.adapters.letters.styles import PLAIN, Look, styles_of
from voucherd.adapters.letters.values import (
    ISOLATE,
    ISOLATE_ENDS,
    JOINER,
    LONGEST_VALUE,
    clean,
    for_markdown,
    for_operators,
)


def text_of(markdown: str) -> str:
    return blocks.text_of(blocks_of(markdown, markdown))


def html_of(markdown: str, look: Look = PLAIN) -> str:
    return page_of(blocks_of(markdown, markdown), look)


def test_a_korean_character_takes_two_columns() -> None:
    assert width("예약 a") == 6


def test_a_combining_mark_takes_no_column() -> None:
    assert width("e\u0301") == 1


@given(st.text(alphabet=st.sampled_from("abc 예약利用券。、e\u0301 -"), max_size=400), st.integers(4, 72))
def test_no_line_is_wider_than_its_room_and_no_word_is_lost(text: str, room: int) -> None:
    lines = wrap(text, room)
    assert all(width(line) <= room for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_japanese_breaks_between_characters_but_not_before_a_full_stop() -> None:
    lines = wrap("利用券の有効期限は十二月です。" * 6, 30)
    assert len(lines) > 1
    assert not any(line.startswith("。") for line in lines)


def test_an_address_of_the_web_is_never_broken() -> None:
    address = "https://desk.example/" + "a" * 90
    assert address in wrap(f"See {address} for more", 40)


def test_a_table_that_fits_is_set_in_columns() -> None:
    assert (
        text_of("| ID | Days |\n|---|---|\n| 예약 | 5 |\n| A1 | 10 |")
        == "ID    Days\n----  ----\n예약  5\nA1    10\n"
    )


def test_a_table_that_does_not_fit_becomes_a_block_a_row() -> None:
    long = "word " * 20
    lines = text_of(f"| ID | What |\n|---|---|\n| A1 | {long} |\n| B2 | short |").splitlines()
    assert lines[0] == "ID    A1"
    assert lines[1].startswith("What  word")
    assert lines[2].startswith("      word")
    assert lines[-3:] == ["", "ID    B2", "What  short"]
    assert all(width(line) <= COLUMNS for line in lines)


def test_a_table_without_heads_is_one_of_facts() -> None:
    markdown = "| | |\n|---|---|\n| Voucher | **A1** |\n| Customer | Fabrikam |"
    assert text_of(markdown) == "Voucher   A1\nCustomer  Fabrikam\n"
    html = html_of(markdown)
    assert 'class="facts"' in html
    assert "<thead>" not in html


def test_lists_headings_and_rules_read_well() -> None:
    assert text_of("## Next\n\n1. one\n2. two\n\n- a\n- b\n\n> quoted") == (
        "Next\n----\n\n1. one\n2. two\n\n- a\n- b\n\n> quoted\n"
    )


def test_a_link_of_the_operator_shows_its_target() -> None:
    assert (
        text_of("See [the form](https://desk.example/form).") == "See the form <https://desk.example/form>.\n"
    )


def test_a_link_whose_target_came_from_a_value_is_refused() -> None:
    with pytest.raises(TemplateBroken, match="target"):
        blocks_of("[x](https://evil.example)", "[x]({{ customer }})")


PLAIN_TAGS = {"p", "ul", "li", "strong", "h2", "table", "thead", "tbody", "tr", "th", "td", "b"}
HOSTILE = [
    "{{7*7}}", "{% for x in y %}", "[x](http://evil.example)", "![x](http://evil.example/p.png)",
    "<http://evil.example>", "<script>alert(1)</script>", "</td></table><a href='http://evil.example'>x</a>",
    "**bold**", "_a_", "`code`", "# head", "- item", "1. item", "> quote", "a | b", "a \\| b", "\\", "a\\",
    "    code", "&lt;b&gt;", "&#60;b&#62;", "http://evil.example", "www.evil.example", "mail@evil.example", "---",
    "===", "[ref]: http://evil.example", "~~x~~", "|---|---|",
]  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize(
    "place", ["{}", "Hello {},", "- {}", "| a | b |\n|---|---|\n| {} | x |", "**{}**", "## {}"]
)
def test_a_hostile_value_is_shown_as_text_and_gains_no_link(value: str, place: str) -> None:
    markdown = place.format(for_markdown(value))
    shown = blocks_of(markdown, place)
    html = page_of(shown, PLAIN)
    assert " ".join(value.split()) in " ".join(blocks.text_of(shown).replace(JOINER, "").split())
    assert set(re.findall(r"<([a-z0-9]+)", html)) <= PLAIN_TAGS


@given(st.text(max_size=300))
def test_any_value_comes_out_as_it_was_cleaned(value: str) -> None:
    tokens = parse(f"| a | b |\n|---|---|\n| x{for_markdown(value)}x | y |")
    assert [token.type for token in tokens].count("td_open") == 2
    shown = "".join(child.content for token in tokens for child in token.children or ())
    shown = re.sub(f"[{JOINER}{ISOLATE}{ISOLATE_ENDS}]", "", shown)
    assert f"x{clean(value)}x" in shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("Fabrikam\r\nBcc: evil@evil.example", "Fabrikam Bcc: evil@evil.example"),
        ("a\u202egpj.exe\u2066b\u200b", "agpj.exeb"),
        ("a\x00b\x1bc\u2028d", "abc d"),
        ("  a \t b  ", "a b"),
        ("\ud800a", "a"),
    ],
)
def test_control_and_format_characters_go(value: str, shown: str) -> None:
    assert clean(value) == shown


def test_ten_thousand_characters_are_cut_to_two_hundred() -> None:
    assert len(clean("x" * 10_000)) == LONGEST_VALUE
    assert clean("x" * 10_000).endswith("…")
    assert clean("x" * LONGEST_VALUE) == "x" * LONGEST_VALUE


# --- Lines as their language breaks them -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "columns", "columns_in_cjk"),
    [
        ("a", 1, 1), ("예", 2, 2), ("\u110b\u1168", 2, 2), ("ｱ", 1, 1), ("Ａ", 2, 2), ("e\u0301", 1, 1), ("é", 1, 2),
        ("“x”", 3, 5), ("–", 1, 2), ("①", 1, 2), ("👍", 2, 2), ("👍🏽", 2, 2), ("👩‍👩‍👧", 2, 2),
        ("❤️", 2, 2), ("🇩🇪", 2, 2),
        ("\u2060", 0, 0), ("\u2068א\u2069", 1, 1),
    ],
)  # fmt: skip
def test_a_sign_takes_the_columns_that_its_reader_sees(text: str, columns: int, columns_in_cjk: int) -> None:
    assert (width(text), width(text, ambiguous=2)) == (columns, columns_in_cjk)


@given(st.text(alphabet=st.sampled_from("利用券預約。、「」（）ー…ab1 "), max_size=200), st.integers(20, 72))
def test_no_line_starts_with_a_closing_sign_nor_ends_with_an_opening_one(text: str, room: int) -> None:
    if longest_piece(text) > room:
        return  # nothing but such signs: no line could keep to it
    for before, line in pairwise(wrap(text, room)):
        if before[-1:] + line[:1] in text:  # the writer put no space here
            assert line[:1] not in set("。、」）ー…")
            assert before[-1:] not in set("「（")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("予約はPS-2021-0417を使い、it.admin@fabrikam.exampleへ。" * 4, "PS-2021-0417"),
        ("予約はPS-2021-0417を使い、it.admin@fabrikam.exampleへ。" * 4, "it.admin@fabrikam.example"),
        ("안녕하십니까 예약하십시오 " * 9, "예약하십시오"),
        ("Betrag 1\u202f234,50\u00a0€ offen " * 9, "1\u202f234,50\u00a0€"),
        ("👩‍👩‍👧" * 60, "👩‍👩‍👧"),
    ],
)
def test_what_belongs_together_stays_on_one_line(text: str, kept: str) -> None:
    lines = wrap(text, 40)
    assert len(lines) > 1
    assert sum(line.count(kept) for line in lines) == text.count(kept)
    assert all(width(line) <= 40 for line in lines)


def test_a_value_too_long_for_its_column_stands_under_its_label() -> None:
    address = "https://desk.example/" + "a" * 49
    assert text_of(f"| | |\n|---|---|\n| Form | {address} |\n| ID | A1 |") == f"Form\n  {address}\nID    A1\n"


def test_amounts_stand_right_where_the_template_says_so() -> None:
    assert text_of("| ID | Net |\n|---|---:|\n| A1 | 5.00 |\n| B2 | 1,250.00 |") == (
        "ID       Net\n--  --------\nA1      5.00\nB2  1,250.00\n"
    )


# --- The page --------------------------------------------------------------------------------------------------


def test_a_name_that_reads_from_right_to_left_does_not_turn_its_neighbours() -> None:
    value = for_markdown("שלום")
    shown = blocks_of(f"Customer {value} (5)", "")
    assert page_of(shown, PLAIN) == "<p>Customer <bdi>שלום</bdi> (5)</p>\n"
    assert blocks.text_of(shown) == f"Customer {ISOLATE}שלום{ISOLATE_ENDS} (5)\n"


def test_the_look_of_the_layout_stands_at_each_element() -> None:
    styles = styles_of(
        "<style>.text p, .facts td { margin: 0 } .facts th { color: #333 } @media x { .text p { a: b } }</style>"
    )
    html = html_of("x\n\n| | |\n|---|---|\n| a | b |", Look(styles, "left"))
    assert '<p style="margin: 0">' in html
    assert '<th scope="row" align="left" style="color: #333">a</th>' in html
    assert '<td style="margin: 0">b</td>' in html


LINKS = re.compile(r"(?i)\b[a-z][a-z0-9+.-]+://\S|\bwww\.\w|\bmailto:|\w@\w|\w\.(?:com|example|de)\b")


@pytest.mark.parametrize(
    "value",
    ["http://evil.example", "see HTTPS://EVIL.EXAMPLE/x now", "www.evil.example", "Booking.com",
     "mailto:x@evil.example",
     "call me x@evil.example", "ftp://a.de", "http://user@evil.example:80/?a=b.de", "a@b.example c@d.example"],
)  # fmt: skip
def test_a_mail_program_finds_no_link_in_a_value(value: str) -> None:
    shown = blocks_of(for_markdown(value), "")
    assert LINKS.search(value)
    assert not LINKS.search(blocks.text_of(shown))
    assert not LINKS.search(page_of(shown, PLAIN))


def test_an_address_that_is_the_whole_value_can_be_copied() -> None:
    assert text_of(for_markdown("it.admin@fabrikam.example")) == "it.admin@fabrikam.example\n"


def test_operators_can_copy_the_names_of_servers_and_files_but_get_no_link() -> None:
    assert (
        text_of(for_operators("smtp.desk.example: en/reminder.md")) == "smtp.desk.example: en/reminder.md\n"
    )
    assert not LINKS.search(text_of(for_operators("see http://evil.example")))
