"""Which mark stands before the decimals: `2,780` alone says nothing, the totals of its document may."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voucherd.domain.reconciliation.decimal_marks import UndecidedError, WrittenDocument, decimal_mark
from voucherd.domain.reconciliation.written_amounts import WrittenAmount, read_written


def written(*texts: str, currency: str = "EUR") -> list[WrittenAmount]:
    return [read_written(text, currency) for text in texts]


def document(
    lines: list[str], net: str | None = None, tax: str | None = None, gross: str | None = None
) -> WrittenDocument:
    stated = [None if text is None else read_written(text, "EUR") for text in (net, tax, gross)]
    return WrittenDocument(written(*lines), *stated)


@pytest.mark.parametrize(
    ("lines", "totals", "mark"),
    [
        (["27,80", "2,780"], ("30,58",), ","),  # an amount beside it shows the mark
        (["27.80", "2,780"], ("2,807.80",), "."),
        (["2,780", "1,220"], ("4000",), "."),  # nobody shows it, but the lines add up one way alone
        (["2,780", "1,220"], ("4",), ","),
        (["1.234,50", "2,780.00"], ("4,014.50",), ""),  # nothing is open, whatever the hands that wrote it
        (["5000", "3000"], ("8000",), ""),
        (["1.500"], (None, "285", "1785"), ","),  # net and tax make the gross one way alone
    ],
)
def test_the_document_itself_tells_its_mark(
    lines: list[str], totals: tuple[str | None, ...], mark: str
) -> None:
    assert decimal_mark(document(lines, *totals)) == mark


@pytest.mark.parametrize(
    ("lines", "net", "why"),
    [
        (["1,000", "2,000"], "3,000", "its totals add up either way"),
        (["1,000", "2,000"], "4,000", "its totals add up neither way"),
        (["1,000"], None, "its totals add up neither way"),
    ],
)
def test_what_nothing_settles_is_not_guessed(lines: list[str], net: str | None, why: str) -> None:
    with pytest.raises(UndecidedError, match=why) as caught:
        decimal_mark(document(lines, net))
    assert "reads two ways (1000.00 or 1.00)" in str(caught.value)


def test_what_is_declared_settles_what_is_open_and_refuses_what_contradicts_it() -> None:
    assert decimal_mark(document(["1,000"], "1,000"), ".") == "."
    assert decimal_mark(document(["1,000"], "1,000"), ",") == ","
    with pytest.raises(ValueError, match=r"'1,000\.00' has no decimal comma"):
        decimal_mark(document(["1,000"], "1,000.00"), ",")


@given(
    st.lists(st.integers(-99_999_999, 99_999_999).filter(bool), min_size=1, max_size=6),
    st.sampled_from([(".", ","), (",", "."), (".", " "), (",", " "), (",", "")]),
    st.booleans(),
    st.booleans(),
)
def test_a_document_that_adds_up_is_read_as_it_was_meant_or_not_at_all(
    units: list[int], style: tuple[str, str], whole: bool, three: bool
) -> None:
    """`whole` leaves decimals out, `three` writes them with a zero more: both make amounts that read two ways."""
    point, group = style
    units = [unit // 100 * 100 or 100 for unit in units] if whole else units
    amounts = [*units, sum(units), sum(units) // 5, sum(units) + sum(units) // 5]

    def shown(unit: int) -> str:
        digits = f"{abs(unit) // 100:,}".replace(",", group)
        decimals = "" if whole and unit % 100 == 0 else f"{point}{abs(unit) % 100:02}" + "0" * three
        return ("-" if unit < 0 else "") + digits + decimals

    *lines, net, tax, gross = (read_written(shown(unit), "EUR") for unit in amounts)
    try:
        mark = decimal_mark(WrittenDocument(lines, net, tax, gross))
    except UndecidedError:
        return
    read = [one.value(mark or None) for one in (*lines, net, tax, gross)]
    assert read == amounts
