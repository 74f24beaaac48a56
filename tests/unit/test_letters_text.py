"""The text part: 72 columns, wide characters counted, tables as aligned blocks, no Markdown left."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voucherd.adapters.letters.markdown import parse, to_html
from voucherd.adapters.letters.plaintext import COLUMNS, to_text, width, wrap
from voucherd.adapters.letters.sources import TemplateBroken
from voucherd.adapters.letters.values import LONGEST_VALUE, clean, for_markdown


def text_of(markdown: str) -> str:
    return to_text(parse(markdown, markdown))


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
    html = to_html(parse(markdown, markdown))
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
        parse("[x](https://evil.example)", "[x]({{ customer }})")


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
    tokens = parse(markdown, place)
    html = to_html(tokens)
    assert " ".join(value.split()) in " ".join(to_text(tokens).split())
    assert set(re.findall(r"<([a-z0-9]+)", html)) <= PLAIN_TAGS


@given(st.text(max_size=300))
def test_any_value_comes_out_as_it_was_cleaned(value: str) -> None:
    tokens = parse(f"| a | b |\n|---|---|\n| x{for_markdown(value)}x | y |", "")
    assert [token.type for token in tokens].count("td_open") == 2
    shown = "".join(child.content for token in tokens for child in token.children or ())
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
