"""What partners were told of their invoices, so that a change is told once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, bindparam, delete, insert, literal_column, select, update

from voucherd.adapters.store import schema
from voucherd.adapters.store.messages import chunks

# Made once: every invoice asks them.
_TOLD, _LINE = schema.told_invoice, schema.invoice_line
_AMONG = select(_TOLD.c.document).where(_TOLD.c.document.in_(bindparam("wanted", expanding=True)))
_DOUBT = (
    update(_TOLD)
    .where(
        _TOLD.c.document.in_(
            select(_LINE.c.document).where(_LINE.c.number.in_(bindparam("wanted", expanding=True)))
        ),
        _TOLD.c.doubtful == 0,
    )
    .values(doubtful=1)
)

# Asked at every pass; a partial index serves only what says the same without a bound value.
_ANY_DOUBTFUL = select(_TOLD.c.document).where(_TOLD.c.doubtful == literal_column("1")).limit(1)


class SqlTold:
    """The tables `told_invoice` and `told_line`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, documents: Sequence[int], refused: Mapping[int, tuple[int, str]]) -> None:
        """Notes that these documents were told of; `refused` are their lines that were not accepted, each with its
        document and class."""
        table, lines = schema.told_invoice, schema.told_line
        known = set(self._among(documents))
        fresh = [{"document": number, "doubtful": 0} for number in documents if number not in known]
        if fresh:
            self._connection.execute(insert(table), fresh)
        if known:
            gone = delete(lines).where(lines.c.document == bindparam("told"))
            self._connection.execute(gone, [{"told": number} for number in sorted(known)])
        rows = [
            {"line": line, "document": document, "line_class": line_class}
            for line, (document, line_class) in refused.items()
        ]
        if rows:
            self._connection.execute(insert(lines), rows)

    def _among(self, documents: Sequence[int]) -> list[int]:
        found: list[int] = []
        for part in chunks(list(documents)):
            found.extend(self._connection.execute(_AMONG, {"wanted": part}).scalars())
        return found

    def doubt(self, lines: Sequence[int]) -> None:
        """Marks the documents of these lines, where they were told of: something of them changed."""
        for part in chunks(list(lines)):
            self._connection.execute(_DOUBT, {"wanted": part})

    def take_doubtful(self, most: int) -> list[int]:
        """The documents that were marked, at most so many; they are marked no longer. Of several daemons one gets
        each."""
        table = schema.told_invoice
        some = select(table.c.document).where(table.c.doubtful == 1).order_by(table.c.document).limit(most)
        taken = update(table).where(table.c.doubtful == 1, table.c.document.in_(some)).values(doubtful=0)
        return sorted(self._connection.execute(taken.returning(table.c.document)).scalars())

    def any_doubtful(self) -> bool:
        """Whether a document is marked."""
        return self._connection.execute(_ANY_DOUBTFUL).first() is not None

    def refused(self, documents: Sequence[int]) -> dict[int, str]:
        """The lines of these documents that were told as not accepted, with the class that was told."""
        table = schema.told_line
        found: dict[int, str] = {}
        for part in chunks(list(documents)):
            query = select(table.c.line, table.c.line_class).where(table.c.document.in_(part))
            found.update((line, line_class) for line, line_class in self._connection.execute(query))
        return found
