"""The tables. `migrations/` creates them; a test compares the two."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    and_,
    literal_column,
    text,
)
from sqlalchemy.types import TypeEngine

from voucherd.domain.reminder_tables import REMINDED

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"


def instant_text(value: datetime) -> str:
    """A moment as SQLite keeps it: UTC, sortable."""
    return _utc_text(value.astimezone(UTC))


@lru_cache(maxsize=4096)  # the same sending hours come again for every voucher of a partner
def _utc_text(value: datetime) -> str:
    return value.strftime(_FORMAT)  # asked for in UTC alone: in other zones the two 02:30 of autumn are equal


class Instant(TypeDecorator[datetime]):
    """A moment in UTC: timestamptz on PostgreSQL, sortable text on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String(27))
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        return instant_text(value) if dialect.name == "sqlite" else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002 -- SQLAlchemy's signature
        if value is None:
            return None
        if isinstance(value, str):
            return datetime.fromisoformat(value)  # a tenth of what strptime costs, for every row that is read
        moment: datetime = value
        return moment.astimezone(UTC)


class Words(TypeDecorator[str]):
    """Text of a stranger: what no database can hold (NUL, half a surrogate pair) is stored as U+FFFD."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 -- SQLAlchemy's signature
        return value if value is None else storable(value)


def storable(text: str) -> str:
    """`text` as far as every database can hold it."""
    if "\0" not in text and text.isascii():
        return text
    return text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


Number = BigInteger().with_variant(Integer, "sqlite")

# keys are compared by code point everywhere: the merge of vouchers and lines depends on one order
Key = String(80).with_variant(String(80, collation="C"), "postgresql")

meta = Table(
    "meta", metadata, Column("key", String(64), primary_key=True), Column("value", Text, nullable=False)
)

mailbox = Table(
    "mailbox",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("state", String(20), nullable=False),
    Column("last_success", Instant),
    Column("error", Words, nullable=False, default=""),
    Column("since", Instant),
    Column("push", String(20), nullable=False, default=""),
)

message = Table(
    "message",
    metadata,
    Column("id", Number, primary_key=True, autoincrement=True),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("size", Number, nullable=False),
    Column("message_id", Words, nullable=False),
    Column("sender", Words, nullable=False),
    Column("subject", Words, nullable=False),
    Column("received_at", Instant),
    Column("recorded_at", Instant, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("code", String(40), nullable=False),
    Column("reason", Words, nullable=False),
    Column("gone_at", Instant),
)
Index(
    "ix_message_gone",
    message.c.id,
    sqlite_where=text("gone_at IS NOT NULL"),
    postgresql_where=text("gone_at IS NOT NULL"),
)

source = Table(
    "source",
    metadata,
    Column("id", Number, primary_key=True, autoincrement=True),
    Column("mailbox", String(200), nullable=False),
    Column("uidvalidity", Number, nullable=False),
    Column("key", String(255), nullable=False),
    Column("message", Number, ForeignKey("message.id")),
    Column("folder", String(200), nullable=False, default=""),
    Column("filed", Boolean, nullable=False, default=False),
    UniqueConstraint("mailbox", "uidvalidity", "key"),
)
Index("ix_source_message", source.c.message)
Index(
    "ix_source_unfiled", source.c.mailbox, sqlite_where=text("filed = 0"), postgresql_where=text("NOT filed")
)

event = Table(
    "event",
    metadata,
    Column("id", Number, primary_key=True, autoincrement=True),
    Column("programme", String(80), nullable=False),
    Column("voucher_key", Key, nullable=False),
    Column("voucher", String(80), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("on", Date, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("by", Words, nullable=False),
    Column("role", String(20), nullable=False),
    Column("partner", String(80)),
    Column("message", Number, ForeignKey("message.id")),
    Column("handed_in_on", Date),
    Column("facts", JSON, nullable=False),
    Column("spans", JSON, nullable=False),
    Column("note", Words, nullable=False, default=""),
    sqlite_autoincrement=True,
)
Index("ix_event_voucher", event.c.voucher_key, event.c.programme)  # the order of a merge with invoice lines
Index("ix_event_message", event.c.message)
Index("ix_event_recorded_at", event.c.recorded_at)

voucher = Table(
    "voucher",
    metadata,
    Column("programme", String(80), primary_key=True),
    Column("voucher_key", Key, primary_key=True),
    Column("voucher", String(80), nullable=False),
    Column("skeleton", Key, nullable=False, default=""),
    Column("reversed_key", Key, nullable=False, default=""),
    Column("state", String(20), nullable=False),
    Column("partner", String(80)),
    Column("customer", Words),
    Column("customer_admin", Words),
    Column("offering", Words),
    Column("days", Integer),
    Column("country", Words),
    Column("created_on", Date),
    Column("assigned_on", Date),
    Column("expires_on", Date),
    Column("engagement_on", Date),
    Column("reserved_on", Date),
    Column("delivered_on", Date),
    Column("redeemed_on", Date),
    Column("billed_on", Date),
    Column("paid_on", Date),
    Column("revoked_on", Date),
    Column("redeemed_by", String(80)),
    Column("claimed_on", Date),
    Column("claimed_invoice", Words),
    Column("billing_extended_to", Date),
    Column("written_off_on", Date),
    Column("disputed_on", Date),
    Column("accepted", Number),
    Column("accepted_currency", String(3)),
    Column("billed_parts", JSON, nullable=False),
    Column("reservation", JSON),
    Column("findings", JSON, nullable=False),
    Column("claims", JSON, nullable=False),
    Column("remitted", JSON(none_as_null=True)),  # nearly always none: a full run reads a million rows
    Column("deadlines", JSON, nullable=False),
    Column("bill_by", Date),
    Column("unmet_reserve", Date),
    Column("unmet_redeem", Date),
    Column("unmet_bill", Date),
    Column("parts", JSON(none_as_null=True)),
    Column("zone", String(64), nullable=False),
    Column("valid_until", Date),
    Column("ends_at", Instant),
    Column("state_after", String(20)),
)
Index("ix_voucher_state", voucher.c.state)
Index("ix_voucher_skeleton", voucher.c.skeleton)
Index("ix_voucher_key", voucher.c.voucher_key, voucher.c.programme)
Index("ix_voucher_reversed", voucher.c.reversed_key)
# The day of a deadline while it is unmet, by the deadline's name (`domain.reminder_tables.REMINDED`).
UNMET = {name: voucher.c[f"unmet_{name}"] for name in REMINDED}
# with the days: which of a partner's vouchers an edit of its steps is about is told without reading them
Index("ix_voucher_partner", voucher.c.partner, voucher.c.programme, voucher.c.voucher_key, *UNMET.values())
for _day in UNMET.values():
    Index(
        f"ix_voucher_{_day.name}",
        _day,
        voucher.c.programme,
        voucher.c.voucher_key,
        sqlite_where=_day.is_not(None),
        postgresql_where=_day.is_not(None),
    )

step = Table(
    "step",
    metadata,
    Column("id", Number, primary_key=True, autoincrement=True),
    Column("programme", String(80), nullable=False),
    Column("voucher_key", Key, nullable=False),
    Column("voucher", String(80), nullable=False),
    Column("deadline", String(40), nullable=False),
    Column("deadline_on", Date, nullable=False),
    Column("days_before", Integer, nullable=False),
    Column("partner", String(80)),
    Column("due_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("status", String(20), nullable=False),
    Column("because", Words, nullable=False, default=""),
    Column("mail", Number, ForeignKey("outbox.id")),
    UniqueConstraint("programme", "voucher_key", "deadline", "deadline_on", "days_before"),
)
_PLANNED = text("status = 'planned'")
Index("ix_step_due", step.c.due_at, sqlite_where=_PLANNED, postgresql_where=_PLANNED)
Index("ix_step_planned", step.c.partner, sqlite_where=_PLANNED, postgresql_where=_PLANNED)
# A partial index serves only a query that says the same without a bound value.
step_planned = step.c.status == literal_column("'planned'")

hold = Table(
    "hold",
    metadata,
    Column("id", Number, primary_key=True, autoincrement=True),
    Column("scope", String(20), nullable=False),
    Column("programme", String(80), nullable=False),
    Column("subject", Key, nullable=False),
    Column("name", Words, nullable=False),
    Column("until", Date),
    Column("why", Words, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("by", Words, nullable=False),
    Column("role", String(20), nullable=False),
    Column("message", Number, ForeignKey("message.id")),
    Column("releases", Number, ForeignKey("hold.id")),
    sqlite_autoincrement=True,
)
Index("ix_hold_subject", hold.c.scope, hold.c.programme, hold.c.subject)
Index("ix_hold_message", hold.c.message)
Index("ix_hold_releases", hold.c.releases)
Index("ix_hold_recorded_at", hold.c.recorded_at)

calendar_entry = Table(
    "calendar_entry",
    metadata,
    Column("programme", String(80), primary_key=True),
    Column("voucher_key", Key, primary_key=True),
    Column("deadline", String(40), primary_key=True),
    Column("partner", String(80), primary_key=True),
    Column("voucher", String(80), nullable=False),
    Column("on", Date, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("ended", Boolean, nullable=False),
    Column("told", Integer),
    Column("changed_at", Instant, nullable=False),
)
Index("ix_calendar_entry_partner", calendar_entry.c.partner, calendar_entry.c.on)
_UNTOLD = text("told < sequence")
Index("ix_calendar_entry_untold", calendar_entry.c.partner, sqlite_where=_UNTOLD, postgresql_where=_UNTOLD)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Number, primary_key=True, autoincrement=True),
    Column("business_key", Text, nullable=False, unique=True),
    Column("kind", String(20), nullable=False),
    Column("partner", String(80)),
    Column("to", JSON, nullable=False),
    Column("cc", JSON, nullable=False),
    Column("vouchers", JSON, nullable=False),
    Column("items", JSON, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("obsolete_at", Instant),
    Column("day", Date, nullable=False),
    Column("letter", JSON, nullable=False),
    Column("head", JSON, nullable=False),
    Column("envelope_from", Text, nullable=False),
    Column("message_id", Words, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("subject", Words),
    Column("content", LargeBinary),
    Column("status", String(20), nullable=False),
    sqlite_autoincrement=True,
)
Index("ix_outbox_partner_day", outbox.c.partner, outbox.c.day)
Index("ix_outbox_message_id", outbox.c.message_id)
Index("ix_outbox_status", outbox.c.status)
_UNCOMPOSED = text("status = 'planned' AND content IS NULL")
Index("ix_outbox_uncomposed", outbox.c.due_at, sqlite_where=_UNCOMPOSED, postgresql_where=_UNCOMPOSED)
mail_uncomposed = and_(outbox.c.status == literal_column("'planned'"), outbox.c.content.is_(None))

delivery = Table(
    "delivery",
    metadata,
    Column("id", Number, primary_key=True, autoincrement=True),
    Column("mail", Number, ForeignKey("outbox.id"), nullable=False),
    Column("address", Words, nullable=False),
    Column("status", String(20), nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("doubts", Integer, nullable=False, default=0),
    Column("next_try_at", Instant),
    Column("sent_at", Instant),
    Column("refused_since", Instant),
    Column("failed_at", Instant),
    Column("answer", Words, nullable=False, default=""),
    UniqueConstraint("mail", "address"),
)
_WAITS = text("status IN ('planned', 'sending', 'in-doubt')")
Index("ix_delivery_address", delivery.c.address)
Index("ix_delivery_waiting", delivery.c.next_try_at, sqlite_where=_WAITS, postgresql_where=_WAITS)
delivery_waits = delivery.c.status.in_(
    [literal_column(f"'{one}'") for one in ("planned", "sending", "in-doubt")]
)

review = Table(
    "review",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("code", String(40), nullable=False),
    Column("reason", Words, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("message", Number, ForeignKey("message.id")),
    Column("event", Number, ForeignKey("event.id")),
    Column("programme", String(80)),
    Column("voucher_key", Key),
    Column("suggestions", JSON, nullable=False),
    Column("about", Words, nullable=False, default=""),
    Column("query", Words, nullable=False, default=""),
    Column("status", String(20), nullable=False),
    Column("closed_at", Instant),
    Column("closed_by", Words, nullable=False, default=""),
    Column("why", Words, nullable=False, default=""),
    sqlite_autoincrement=True,
)
Index("ix_review_open", review.c.status, review.c.code)
Index("ix_review_event", review.c.event)
Index("ix_review_query", review.c.query)

invoice = Table(
    "invoice",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("file", Words, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("content_sha256", String(64), nullable=False),
    Column("supplier", String(80), nullable=False),
    Column("invoice", Words, nullable=False),
    Column("invoice_key", Words, nullable=False),
    Column("counts_as", Words, nullable=False),
    Column("corrects", Words, nullable=False, default=""),
    Column("refers_to", Words, nullable=False, default=""),
    Column("kind", String(20), nullable=False),
    Column("issued_on", Date, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("total", Number),
    Column("totals", JSON),
    Column("message", Number, ForeignKey("message.id")),
    Column("recorded_at", Instant, nullable=False),
    UniqueConstraint("sha256", "invoice_key", "kind", "supplier"),
    sqlite_autoincrement=True,
)
Index("ix_invoice_key", invoice.c.invoice_key, invoice.c.supplier, invoice.c.kind)
Index("ix_invoice_counts_as", invoice.c.counts_as, invoice.c.supplier, invoice.c.kind)
Index("ix_invoice_recorded_at", invoice.c.recorded_at)

invoice_line = Table(
    "invoice_line",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("document", Number, ForeignKey("invoice.number"), nullable=False),
    Column("line", String(80), nullable=False),
    Column("voucher_text", Words, nullable=False),
    Column("voucher_key", Key, nullable=False),
    Column("net", Number, nullable=False),
    Column("tax", Number),
    Column("currency", String(3), nullable=False),
    Column("placed_at", Instant),
    sqlite_autoincrement=True,
)
Index("ix_invoice_line_voucher", invoice_line.c.voucher_key)
Index("ix_invoice_line_document", invoice_line.c.document)
_PLACED = text("placed_at IS NOT NULL")
Index("ix_invoice_line_placed", invoice_line.c.placed_at, sqlite_where=_PLACED, postgresql_where=_PLACED)

# what stands in a line without a label and has the form of an ID: a voucher's once the ledger knows it
line_hint = Table(
    "line_hint",
    metadata,
    Column("line", Number, ForeignKey("invoice_line.number"), primary_key=True),
    Column("voucher_key", Key, primary_key=True),
    Column("voucher", String(80), nullable=False),
)
Index("ix_line_hint_voucher", line_hint.c.voucher_key)

# what a partner was told of its invoice: of each line that was not accepted, its class; `doubtful`: something changed
told_invoice = Table(
    "told_invoice",
    metadata,
    Column("document", Number, ForeignKey("invoice.number"), primary_key=True, autoincrement=False),
    Column("doubtful", Integer, nullable=False, default=0),
)
_DOUBTFUL = text("doubtful = 1")
Index("ix_told_invoice", told_invoice.c.document, sqlite_where=_DOUBTFUL, postgresql_where=_DOUBTFUL)

told_line = Table(
    "told_line",
    metadata,
    Column("line", Number, ForeignKey("invoice_line.number"), primary_key=True, autoincrement=False),
    Column("document", Number, ForeignKey("invoice.number"), nullable=False),
    Column("line_class", String(20), nullable=False),
)
Index("ix_told_line_document", told_line.c.document)

# rows of payment lists that found no voucher: each waits with the entry that tells a person of it
awaited_payment = Table(
    "awaited_payment",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("review", Number, ForeignKey("review.number"), nullable=False),
    Column("voucher_key", Key),
    Column("invoice_key", Words),
    Column("digest", String(80), nullable=False),
    Column("reason", Words, nullable=False),
    Column("row", JSON, nullable=False),
    sqlite_autoincrement=True,
)
Index("ix_awaited_payment_review", awaited_payment.c.review)

period = Table(
    "period",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("name", String(20), nullable=False),
    Column("since", Date),
    Column("until", Date, nullable=False),
    Column("closed_at", Instant, nullable=False),
    Column("last_document", Number, nullable=False),
    Column("vouchers", Number, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("bridge", JSON, nullable=False),
    sqlite_autoincrement=True,
)

decision = Table(
    "decision",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("word", String(20), nullable=False),
    Column("line", Number, ForeignKey("invoice_line.number")),
    Column("document", Number, ForeignKey("invoice.number")),
    Column("period", Number, ForeignKey("period.number")),
    Column("programme", String(80)),
    Column("voucher_key", Key),
    Column("voucher", String(80)),
    Column("until", Date),
    Column("amount", Number),
    Column("currency", String(3)),
    Column("undoes", Number, ForeignKey("decision.number")),
    Column("why", Words, nullable=False),
    Column("by", Words, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    sqlite_autoincrement=True,
)
Index("ix_decision_line", decision.c.line)
Index("ix_decision_document", decision.c.document)
Index("ix_decision_period", decision.c.period)
Index("ix_decision_voucher", decision.c.voucher_key)
Index("ix_decision_recorded_at", decision.c.recorded_at)

# what was last concluded about each redeemed voucher, and what of it was frozen with a closed period
verdict = Table(
    "verdict",
    metadata,
    Column("voucher_key", Key, primary_key=True),
    Column("programme", Key, primary_key=True),
    Column("voucher", String(80), nullable=False),
    Column("redeemed_on", Date, nullable=False),
    Column("row", Text, nullable=False),
)

closed = Table(
    "closed",
    metadata,
    Column("voucher_key", Key, primary_key=True),
    Column("programme", Key, primary_key=True),
    Column("period", Number, ForeignKey("period.number"), primary_key=True),
    Column("voucher", String(80), nullable=False),
    Column("row", Text, nullable=False),
)

alarm = Table(
    "alarm",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("about", Words, nullable=False, unique=True),
    Column("code", String(40), nullable=False),
    Column("subject", Words, nullable=False),
    Column("detail", Words, nullable=False),
    Column("count", Integer, nullable=False),
    Column("on", Date),
    Column("target", Words, nullable=False),
    Column("raised_at", Instant, nullable=False),
    Column("mail", Number, ForeignKey("outbox.id")),
    sqlite_autoincrement=True,
)
Index(
    "ix_alarm_untold",
    alarm.c.number,
    sqlite_where=text("mail IS NULL"),
    postgresql_where=text("mail IS NULL"),
)

suppression = Table(
    "suppression",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("address", Words, nullable=False),
    Column("since", Instant, nullable=False),
    Column("cause", String(20), nullable=False),
    Column("why", Words, nullable=False),
    Column("partner", String(80)),
    Column("mail", Number, ForeignKey("outbox.id")),
    Column("message", Number, ForeignKey("message.id")),
    Column("lifted_at", Instant),
    Column("lifted_by", Words, nullable=False, default=""),
    Column("lifted_why", Words, nullable=False, default=""),
    sqlite_autoincrement=True,
)
Index(
    "ix_suppression_standing",
    suppression.c.address,
    unique=True,
    sqlite_where=text("lifted_at IS NULL"),
    postgresql_where=text("lifted_at IS NULL"),
)

removal = Table(
    "removal",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("kind", String(20), nullable=False),
    Column("removed_at", Instant, nullable=False),
    Column("by", Words, nullable=False),
    Column("why", Words, nullable=False),
    Column("counts", JSON, nullable=False),
    sqlite_autoincrement=True,
)
