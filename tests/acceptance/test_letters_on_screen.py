"""The HTML mails in a real browser, wide and narrow, light and dark: what a person would see.

The references in `tests/golden/screens` are for people to look at, and are compared by their blurred colours, so that
other fonts do not matter and a lost table, card or dark mode does. Written anew with VOUCHERD_WRITE_GOLDEN=1.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from tests.servers.chromium import Chromium
from tests.unit.test_letters_composer import HEAD
from voucherd.adapters.letters import LetterComposer, sample_letters
from voucherd.domain.letter import Letter, LetterKind

ROOT = Path(__file__).parents[2]
SCREENS = ROOT / "tests" / "golden" / "screens"
WIDE, NARROW = 1000, 360
COMPOSER = LetterComposer([ROOT / "templates"])
LANGUAGES = sorted(path.name for path in (ROOT / "templates").iterdir() if path.is_dir())
FURTHER = [language for language in ("ko", "ja", "zh-CN") if language in LANGUAGES]
SAMPLES = sample_letters("en")
FIRST_OF_KIND = {
    str(letter.kind): letter.kind if letter.kind in SAMPLES else name
    for name, letter in reversed(SAMPLES.items())
}
CASES = [
    *((name, "en") for name in sorted(FIRST_OF_KIND.values())),
    *((name, one) for one in FURTHER for name in ("reminder-reserve", "digest-values", "summary-full")),
]
LOOKS = [(WIDE, False), (WIDE, True), (NARROW, False), (NARROW, True)]
KEPT = [(WIDE, False), (NARROW, True)]
SMALLEST_CONTRAST = 4.5  # WCAG 2.2, 1.4.3
MOST_DIFFERENT = 12  # of 255, on average over the grid
pytestmark = pytest.mark.server

MEASURED = """(() => {
  const light = ([r, g, b]) => [r, g, b].map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const numbers = colour => colour.match(/[0-9.]+/g).map(Number);
  const behind = element => {
    for (; element; element = element.parentElement) {
      const colour = numbers(getComputedStyle(element).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; node = walker.nextNode();) {
    const element = node.parentElement, box = element.getBoundingClientRect();
    if (!node.data.trim() || !box.width || !box.height) continue;
    const [one, other] = [light(numbers(getComputedStyle(element).color)), light(behind(element))];
    texts.push({text: node.data.trim().slice(0, 40), size: parseFloat(getComputedStyle(element).fontSize),
                right: box.right, contrast: (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05)});
  }
  const root = document.documentElement;
  return {texts, width: root.scrollWidth, screen: innerWidth,
          heads: [...document.querySelectorAll('.rows thead')].map(e => getComputedStyle(e).display),
          card_width: document.querySelector('.text').getBoundingClientRect().width,
          page: light(behind(document.querySelector('.page'))), card: light(behind(document.querySelector('.text')))};
})()"""

GRID = """(async source => {
  const picture = new Image();
  picture.src = source;
  await picture.decode();
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [12, 16];
  const context = canvas.getContext('2d');
  context.imageSmoothingQuality = 'high';
  context.drawImage(picture, 0, 0, 12, 16);
  return [picture.naturalWidth, picture.naturalHeight, ...context.getImageData(0, 0, 12, 16).data];
})"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with Chromium() as started:
        yield started


def page_of(letter: Letter) -> str:
    for part in message_from_bytes(COMPOSER.compose(letter, HEAD).content).walk():
        if part.get_content_type() == "text/html":
            payload = part.get_payload(decode=True)
            assert isinstance(payload, bytes)
            return payload.decode()
    raise AssertionError("there is no HTML part")


def measured(browser: Chromium, html: str, width: int, *, dark: bool) -> dict[str, Any]:
    browser.show(html, width=width, dark=dark)
    found: dict[str, Any] = browser.evaluate(MEASURED)
    return found


def grid(browser: Chromium, png: bytes) -> list[int]:
    source = "data:image/png;base64," + base64.b64encode(png).decode()
    browser.show("<p>", width=WIDE, dark=False)
    found: list[int] = browser.evaluate(f"({GRID})('{source}')")
    return found


def difference(browser: Chromium, one: bytes, other: bytes) -> str:
    """What tells two screenshots apart; empty where a person would call them the same."""
    first, second = grid(browser, one), grid(browser, other)
    if first[0] != second[0] or not 0.8 < first[1] / second[1] < 1.25:
        return f"sizes {first[:2]} and {second[:2]}"
    off = sum(abs(a - b) for a, b in zip(first[2:], second[2:], strict=True)) / len(first[2:])
    return f"colours differ by {off:.1f}" if off > MOST_DIFFERENT else ""


@pytest.mark.parametrize(("width", "dark"), LOOKS)
@pytest.mark.parametrize(("name", "language"), CASES)
def test_the_mail_fits_and_can_be_read(
    browser: Chromium, name: str, language: str, width: int, dark: bool
) -> None:
    seen = measured(browser, page_of(sample_letters(language)[name]), width, dark=dark)
    assert seen["width"] <= seen["screen"] == width
    assert len(seen["texts"]) > 3
    assert seen["card_width"] <= 640  # a longer line tires the eye
    assert [one for one in seen["texts"] if one["right"] > width] == []
    assert [one for one in seen["texts"] if one["contrast"] < SMALLEST_CONTRAST] == []
    assert min(one["size"] for one in seen["texts"]) >= 13
    assert (
        (seen["page"] < 0.05 and seen["card"] < 0.05) if dark else (seen["page"] > 0.8 and seen["card"] > 0.9)
    )
    assert set(seen["heads"]) <= ({"none"} if width == NARROW else {"table-header-group"})
    assert browser.requested == []


PIECES = """(() => [...document.querySelectorAll('.rows')].map(table => ({
  over: table.getBoundingClientRect().right - document.querySelector('.text').getBoundingClientRect().right,
  pieces: [...table.querySelectorAll('span')].map(one => [one.textContent, one.getClientRects().length])})))()"""


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_table_of_seven_columns_stays_in_its_card_and_breaks_no_day_and_no_short_word(
    browser: Chromium, language: str
) -> None:
    browser.show(page_of(sample_letters(language)["digest-values"]), width=WIDE, dark=False)
    [table] = browser.evaluate(PIECES)
    assert table["over"] < 0
    assert [text for text, lines in table["pieces"] if lines != 1] == []
    kept = {text for text, _ in table["pieces"]}
    assert {"ja": "2021年12月10日", "zh-CN": "2021年12月10日", "ko": "(4일 남음)"}.get(
        language, "SDPS,"
    ) in kept


@pytest.mark.parametrize(("width", "dark"), KEPT)
@pytest.mark.parametrize(("name", "language"), CASES)
def test_the_mail_looks_as_it_was_approved(
    browser: Chromium, name: str, language: str, width: int, dark: bool
) -> None:
    browser.show(page_of(sample_letters(language)[name]), width=width, dark=dark)
    shot = browser.screenshot()
    path = (
        SCREENS
        / f"{name}.{language}.{'narrow' if width == NARROW else 'wide'}.{'dark' if dark else 'light'}.png"
    )
    if os.environ.get("VOUCHERD_WRITE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(shot)
    assert difference(browser, shot, path.read_bytes()) == ""


@pytest.mark.parametrize(
    ("damage", "width", "dark"),
    [
        (("prefers-color-scheme: dark", "prefers-color-scheme: none"), NARROW, True),
        (("max-width: 620px", "max-width: 1px"), NARROW, False),
        (
            ('bgcolor="#ffffff" style="', 'bgcolor="#000000" style="background:#000000!important;'),
            WIDE,
            False,
        ),
        (("<style>", "<style>table.rows{display:none!important}"), WIDE, False),
    ],
)
def test_the_comparison_sees_a_broken_look(
    browser: Chromium, damage: tuple[str, str], width: int, dark: bool
) -> None:
    html = page_of(sample_letters("en")["digest"])
    shots = []
    for shown in (html, html.replace(*damage)):
        browser.show(shown, width=width, dark=dark)
        shots.append(browser.screenshot())
    assert difference(browser, shots[0], shots[0]) == ""
    assert difference(browser, *shots) != ""


def test_other_fonts_do_not_matter(browser: Chromium) -> None:
    html = page_of(sample_letters("en")["digest"])
    shots = []
    for font in ("Liberation Sans", "DejaVu Serif"):
        fonts = f"<style>* {{ font-family: '{font}' !important }} "
        browser.show(
            html.replace("<style>", fonts, 1).replace("<!--[if mso]>", "", 1), width=WIDE, dark=False
        )
        shots.append(browser.screenshot())
    assert difference(browser, *shots) == ""


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_without_its_style_block_the_mail_still_has_its_look(browser: Chromium, width: int) -> None:
    html = page_of(sample_letters("en")["digest"])
    head, _, rest = html.partition("<head>")
    seen = measured(browser, head + rest.partition("</head>")[2], width, dark=False)
    assert [one for one in seen["texts"] if one["contrast"] < SMALLEST_CONTRAST] == []
    assert seen["card"] > 0.9
    assert not any(one["text"].startswith("Offering") and one["size"] > 13 for one in seen["texts"])


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_name_without_end_does_not_burst_the_page(browser: Chromium, width: int) -> None:
    for kind in (LetterKind.REMINDER, LetterKind.DIGEST):
        letter = sample_letters("en")[FIRST_OF_KIND[kind]]
        items = tuple(replace(item, customer="x" * 10_000) for item in letter.items)
        seen = measured(
            browser, page_of(replace(letter, items=items, partner="W" * 10_000)), width, dark=False
        )
        assert seen["width"] <= width


def test_a_page_that_asks_the_network_is_caught() -> None:
    with Chromium() as browser:
        browser.show('<img src="http://evil.example/p.png">', width=WIDE, dark=False)
        browser.evaluate("new Promise(done => setTimeout(done, 50))")
        assert browser.requested == ["http://evil.example/p.png"]
