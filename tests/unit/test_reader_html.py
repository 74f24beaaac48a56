"""HTML as lines of text: header blocks and table rows keep together, hostile documents cost little."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voucherd.adapters.reader import html

SAMPLES = Path(__file__).parents[3] / "shared" / "mail" / "html"


@pytest.mark.parametrize(
    ("document", "lines"),
    [
        ("one<br>two<br/>three", ["one", "two", "three"]),
        ("<div>one</div><div>two</div>", ["one", "two"]),
        ("<p>one</p><p>two</p>", ["one", "", "two"]),
        ("a<br><br><br><br>b", ["a", "", "b"]),
        ("<p>  many \n\t spaces&nbsp;&nbsp;here </p>", ["many spaces here"]),
        ("<b>From:</b> Sam Ortiz &lt;<a href='mailto:x'>sam@contoso.example</a>&gt;<br><b>Sent:</b> today",
         ["From: Sam Ortiz <sam@contoso.example>", "Sent: today"]),
        ("<span>Fr</span><span>om</span>: x", ["From: x"]),
        ("<table><tr><td>Voucher ID</td><td>A-1</td></tr><tr><td>Days</td><td>5</td></tr></table>",
         ["Voucher ID\tA-1", "Days\t5"]),
        ("<table><tr><th><p>Voucher ID</p></th><td>&nbsp;</td><td><p>A-1</p></td></tr></table>", ["Voucher ID\tA-1"]),
        ("<table><tr><td>IDs</td><td>A-1<br>A-2</td></tr></table>", ["IDs\tA-1 A-2"]),
        ("<table><tr><td><p>From: x</p><p>To: y</p></td></tr></table>", ["From: x", "", "To: y"]),
        ("<table><tr><td><img></td><td>From: x<br>To: y</td></tr></table>", ["From: x", "To: y"]),
        ("<table><tr><td><table><tr><td>ID</td><td>A-1</td></tr></table></td><td>aside</td></tr></table>",
         ["ID\tA-1", "aside"]),
        ("<ol><li>first<li>second</ol>after", ["first", "second", "after"]),
        ("<blockquote>quoted</blockquote>own", ["quoted", "own"]),
        ("<pre>a  b\nc</pre>", ["a  b", "c"]),
        ("<head><title>t</title><style>x{}</style></head><script>y()</script>seen<!-- not --><template>z</template>",
         ["seen"]),
        ("<div style='color:red; DISPLAY : none'>no</div><p hidden>no</p>"
         "<i style='visibility:hidden'>no</i>yes", ["yes"]),
        ("Uml&auml;ut &#44032; &#x10FFFF; &amp;lt;", ["Umläut 가 \U0010ffff &lt;"]),
        ("zero\u200bwidth\ufeff and soft\u00adhyphen", ["zerowidth and softhyphen"]),
        ("a\x00b", ["ab"]),
        ("", []),
        ("<td>loose</td></table></tr>", ["loose"]),
        ("no markup at all", ["no markup at all"]),
    ],
)  # fmt: skip
def test_a_document_becomes_the_lines_that_its_reader_sees(document: str, lines: list[str]) -> None:
    assert html.to_text(document) == "\n".join(lines)


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ("<table><tr><td>ID<td>A-1<tr><td>Days<td>5</table>end", "ID\tA-1\nDays\t5\n\nend"),
        ("<p>one<br>two &amp; three</p><script>no</script><!-- no --><style>no", "one\ntwo & three"),
        (f"&#{'9' * 5000};&#x{'f' * 5000};", "\ufffd\ufffd"),
    ],
)
def test_a_document_beyond_the_limits_is_stripped_of_its_tags_and_keeps_its_rows(
    document: str, text: str
) -> None:
    far_too_open = "<div>" * (html.MAX_OPEN + 1)

    assert html.to_text(far_too_open + document) == text
    assert html.to_text(document).replace("\U0010ffff", "\ufffd") == text


@pytest.mark.parametrize(
    "document",
    [
        "<div>" * 400_000,
        "<a " * 600_000,
        "<b>x" * 400_000,
        "<font a=1>" * 199 + "<p>x" * 100_000,
        "<!--" * 400_000,
        "<" * 2_000_000,
        "&" * 2_000_000,
        "<table>" + "<tr><td>a<td>b</tr>" * 50_000,
        "<table><tr><td>" * 1_600 + "<p>x" * 50_000,
        "<div " + " ".join(f"a{n}" for n in range(200_000)) + ">x",
    ],
    ids=["open", "unfinished", "formatting", "reopened", "comments", "angles", "references", "rows", "nested",
         "attributes"],
)  # fmt: skip
def test_a_hostile_document_of_two_megabytes_costs_seconds_at_most(document: str) -> None:
    before = time.process_time()

    html.to_text(document)

    assert time.process_time() - before < 8


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["<table>", "</table>", "<tr>", "</tr>", "<td>", "</td>", "<p>", "</p>", "<br>", "<pre>"]
        )
        | st.sampled_from(
            ["</pre>", "<b>", "</b>", "<!--", "-->", "<script>", "</script>", "&lt;", "x", " ", "\n"]
        ),
        max_size=60,
    )
)
def test_no_document_breaks_the_walk_or_leaves_blank_ends(pieces: list[str]) -> None:
    document = "".join(pieces)
    for text in (html.to_text(document), html.to_text("<div>" * (html.MAX_OPEN + 1) + document)):
        assert text == text.strip("\n")
        assert "\n\n\n" not in text


def test_header_blocks_of_html_forwards_keep_one_header_a_line() -> None:
    if not SAMPLES.is_dir():
        pytest.skip(f"no sample documents at {SAMPLES}")

    apple = html.to_text((SAMPLES / "apple_forward.html").read_text("utf-8")).split("\n")
    thunderbird = html.to_text((SAMPLES / "thunderbird_forward.html").read_text("utf-8")).split("\n")

    assert "From: Foo Bar <foo@bar.example>" in apple
    assert "To: John Doe <john@doe.example>" in apple
    assert any(line.startswith("From:\t") and line.endswith(">") for line in thunderbird)
