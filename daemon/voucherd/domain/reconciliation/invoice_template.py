"""What an operator says about the invoices of one supplier, so that their text can be read: `config/invoices/*.toml`.

Patterns are RE2, checked when the configuration is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

TOTALS = ("net", "tax", "gross")
"""The totals that a template may name."""
LINE_GROUPS = ("line", "text", "voucher", "net", "tax", "rate")
"""The groups that the pattern of a line may name."""


@dataclass(frozen=True, slots=True)
class LineRules:
    """Where the lines of an invoice stand and what one looks like.

    `pattern` is tried on each row of text between a row that `first_after` matches and one that `last_before`
    matches (empty: from the top, to the end); its group `net` is the amount, `tax` that of its tax,
    or `rate` the percentage. Rows that it does not match belong
    to the line above them, unless `skip` matches; `voucher` finds the ID in all rows of a line.
    """

    pattern: str
    first_after: str = ""
    last_before: str = ""
    voucher: str = ""
    skip: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InvoiceTemplate:
    """The rules of one supplier's documents. `file` says where they stand.

    A document is one of these where it holds every text of `contains`, every pattern of `matches` and none of
    `lacks`, and, where `supplier` is set, was not sent by another partner. `fields` and `totals` are patterns with
    one group; `credit` is a pattern of credit notes alone. `currency`, `decimal_mark` (`.` or `,`) and the
    language of the dates are declared, or empty.
    """

    name: str
    file: str
    contains: tuple[str, ...]
    matches: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    supplier: str = ""
    locale: str = ""
    decimal_mark: str = ""
    currency: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    totals: Mapping[str, str] = field(default_factory=dict)
    credit: str = ""
    lines: LineRules | None = None
