"""the first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from voucherd.adapters.store.schema import Instant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mailbox",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("last_success", Instant(), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("since", Instant(), nullable=True),
        sa.Column("push", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_mailbox")),
    )
    op.create_table(
        "message",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("received_at", Instant(), nullable=True),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("gone_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("sha256", name=op.f("uq_message_sha256")),
    )
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.create_index(
            "ix_message_gone",
            ["id"],
            unique=False,
            sqlite_where=sa.text("gone_at IS NOT NULL"),
            postgresql_where=sa.text("gone_at IS NOT NULL"),
        )

    op.create_table(
        "meta",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_meta")),
    )
    op.create_table(
        "outbox",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("business_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("partner", sa.String(length=80), nullable=True),
        sa.Column("to", sa.JSON(), nullable=False),
        sa.Column("cc", sa.JSON(), nullable=False),
        sa.Column("vouchers", sa.JSON(), nullable=False),
        sa.Column("items", sa.JSON(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("obsolete_at", Instant(), nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("letter", sa.JSON(), nullable=False),
        sa.Column("head", sa.JSON(), nullable=False),
        sa.Column("envelope_from", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("business_key", name=op.f("uq_outbox_business_key")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index("ix_outbox_message_id", ["message_id"], unique=False)
        batch_op.create_index("ix_outbox_partner_day", ["partner", "day"], unique=False)
        batch_op.create_index("ix_outbox_status", ["status"], unique=False)
        batch_op.create_index(
            "ix_outbox_uncomposed",
            ["due_at"],
            unique=False,
            sqlite_where=sa.text("status = 'planned' AND content IS NULL"),
            postgresql_where=sa.text("status = 'planned' AND content IS NULL"),
        )

    op.create_table(
        "voucher",
        sa.Column("programme", sa.String(length=80), nullable=False),
        sa.Column(
            "voucher_key",
            sa.String(length=80).with_variant(sa.String(length=80, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("voucher", sa.String(length=80), nullable=False),
        sa.Column(
            "skeleton",
            sa.String(length=80).with_variant(sa.String(length=80, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "reversed_key",
            sa.String(length=80).with_variant(sa.String(length=80, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("partner", sa.String(length=80), nullable=True),
        sa.Column("customer", sa.Text(), nullable=True),
        sa.Column("customer_admin", sa.Text(), nullable=True),
        sa.Column("offering", sa.Text(), nullable=True),
        sa.Column("days", sa.Integer(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("created_on", sa.Date(), nullable=True),
        sa.Column("assigned_on", sa.Date(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("engagement_on", sa.Date(), nullable=True),
        sa.Column("reserved_on", sa.Date(), nullable=True),
        sa.Column("delivered_on", sa.Date(), nullable=True),
        sa.Column("redeemed_on", sa.Date(), nullable=True),
        sa.Column("billed_on", sa.Date(), nullable=True),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("revoked_on", sa.Date(), nullable=True),
        sa.Column("redeemed_by", sa.String(length=80), nullable=True),
        sa.Column("claimed_on", sa.Date(), nullable=True),
        sa.Column("claimed_invoice", sa.Text(), nullable=True),
        sa.Column("billing_extended_to", sa.Date(), nullable=True),
        sa.Column("written_off_on", sa.Date(), nullable=True),
        sa.Column("disputed_on", sa.Date(), nullable=True),
        sa.Column("accepted", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("accepted_currency", sa.String(length=3), nullable=True),
        sa.Column("billed_parts", sa.JSON(), nullable=False),
        sa.Column("reservation", sa.JSON(), nullable=True),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("claims", sa.JSON(), nullable=False),
        sa.Column("remitted", sa.JSON(), nullable=True),
        sa.Column("deadlines", sa.JSON(), nullable=False),
        sa.Column("bill_by", sa.Date(), nullable=True),
        sa.Column("unmet_reserve", sa.Date(), nullable=True),
        sa.Column("unmet_redeem", sa.Date(), nullable=True),
        sa.Column("unmet_bill", sa.Date(), nullable=True),
        sa.Column("parts", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("ends_at", Instant(), nullable=True),
        sa.Column("state_after", sa.String(length=20), nullable=True),
        sa.PrimaryKeyConstraint("programme", "voucher_key", name=op.f("pk_voucher")),
    )
    with op.batch_alter_table("voucher", schema=None) as batch_op:
        batch_op.create_index("ix_voucher_key", ["voucher_key", "programme"], unique=False)
        batch_op.create_index(
            "ix_voucher_partner",
            ["partner", "programme", "voucher_key", "unmet_reserve", "unmet_redeem", "unmet_bill"],
            unique=False,
        )
        batch_op.create_index("ix_voucher_reversed", ["reversed_key"], unique=False)
        batch_op.create_index("ix_voucher_skeleton", ["skeleton"], unique=False)
        batch_op.create_index("ix_voucher_state", ["state"], unique=False)
        for deadline in ("reserve", "redeem", "bill"):
            batch_op.create_index(
                f"ix_voucher_unmet_{deadline}",
                [f"unmet_{deadline}", "programme", "voucher_key"],
                unique=False,
                sqlite_where=sa.text(f"unmet_{deadline} IS NOT NULL"),
                postgresql_where=sa.text(f"unmet_{deadline} IS NOT NULL"),
            )

    op.create_table(
        "delivery",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("mail", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("doubts", sa.Integer(), nullable=False),
        sa.Column("next_try_at", Instant(), nullable=True),
        sa.Column("sent_at", Instant(), nullable=True),
        sa.Column("refused_since", Instant(), nullable=True),
        sa.Column("failed_at", Instant(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["mail"], ["outbox.id"], name=op.f("fk_delivery_mail")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("mail", "address", name=op.f("uq_delivery_mail_address")),
    )
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.create_index("ix_delivery_address", ["address"], unique=False)
        batch_op.create_index(
            "ix_delivery_waiting",
            ["next_try_at"],
            unique=False,
            sqlite_where=sa.text("status IN ('planned', 'sending', 'in-doubt')"),
            postgresql_where=sa.text("status IN ('planned', 'sending', 'in-doubt')"),
        )

    op.create_table(
        "event",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("programme", sa.String(length=80), nullable=False),
        sa.Column(
            "voucher_key",
            sa.String(length=80).with_variant(sa.String(length=80, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("voucher", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("partner", sa.String(length=80), nullable=True),
        sa.Column("message", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("handed_in_on", sa.Date(), nullable=True),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("spans", sa.JSON(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["message"], ["message.id"], name=op.f("fk_event_message")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index("ix_event_message", ["message"], unique=False)
        batch_op.create_index("ix_event_recorded_at", ["recorded_at"], unique=False)
        batch_op.create_index("ix_event_voucher", ["voucher_key", "programme"], unique=False)

    op.create_table(
        "invoice",
        sa.Column(
            "number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content_sha256", sa.String(length=64), nullable=False),
        sa.Column("supplier", sa.String(length=80), nullable=False),
        sa.Column("invoice", sa.Text(), nullable=False),
        sa.Column("invoice_key", sa.Text(), nullable=False),
        sa.Column("counts_as", sa.Text(), nullable=False),
        sa.Column("corrects", sa.Text(), nullable=False),
        sa.Column("refers_to", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("total", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("totals", sa.JSON(), nullable=True),
        sa.Column("message", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["message"], ["message.id"], name=op.f("fk_invoice_message")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_invoice")),
        sa.UniqueConstraint(
            "sha256",
            "invoice_key",
            "kind",
            "supplier",
            name=op.f("uq_invoice_sha256_invoice_key_kind_supplier"),
        ),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("invoice", schema=None) as batch_op:
        batch_op.create_index("ix_invoice_counts_as", ["counts_as", "supplier", "kind"], unique=False)
        batch_op.create_index("ix_invoice_key", ["invoice_key", "supplier", "kind"], unique=False)
        batch_op.create_index("ix_invoice_recorded_at", ["recorded_at"], unique=False)

    op.create_table(
        "source",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("mailbox", sa.String(length=200), nullable=False),
        sa.Column("uidvalidity", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("message", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("folder", sa.String(length=200), nullable=False),
        sa.Column("filed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["message"], ["message.id"], name=op.f("fk_source_message")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source")),
        sa.UniqueConstraint("mailbox", "uidvalidity", "key", name=op.f("uq_source_mailbox_uidvalidity_key")),
    )
    with op.batch_alter_table("source", schema=None) as batch_op:
        batch_op.create_index("ix_source_message", ["message"], unique=False)
        batch_op.create_index(
            "ix_source_unfiled",
            ["mailbox"],
            unique=False,
            sqlite_where=sa.text("filed = 0"),
            postgresql_where=sa.text("NOT filed"),
        )

    op.create_table(
        "step",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("programme", sa.String(length=80), nullable=False),
        sa.Column(
            "voucher_key",
            sa.String(length=80).with_variant(sa.String(length=80, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("voucher", sa.String(length=80), nullable=False),
        sa.Column("deadline", sa.String(length=40), nullable=False),
        sa.Column("deadline_on", sa.Date(), nullable=False),
        sa.Column("days_before", sa.Integer(), nullable=False),
        sa.Column("partner", sa.String(length=80), nullable=True),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("ends_at", Instant(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("mail", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["mail"], ["outbox.id"], name=op.f("fk_step_mail")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_step")),
        sa.UniqueConstraint(
            "programme",
            "voucher_key",
            "deadline",
            "deadline_on",
            "days_before",
            name=op.f("uq_step_programme_voucher_key_deadline_deadline_on_days_before"),
        ),
    )
    with op.batch_alter_table("step", schema=None) as batch_op:
        batch_op.create_index(
            "ix_step_due",
            ["due_at"],
            unique=False,
            sqlite_where=sa.text("status = 'planned'"),
            postgresql_where=sa.text("status = 'planned'"),
        )
        batch_op.create_index(
            "ix_step_planned",
            ["partner"],
            unique=False,
            sqlite_where=sa.text("status = 'planned'"),
            postgresql_where=sa.text("status = 'planned'"),
        )

    op.create_table(
        "invoice_line",
        sa.Column(
            "number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("document", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("line", sa.String(length=80), nullable=False),
        sa.Column("voucher_text", sa.Text(), nullable=False),
        sa.Column(
            "voucher_key",
            sa.String(length=80).with_variant(sa.String(length=80, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("net", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("tax", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("placed_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["document"], ["invoice.number"], name=op.f("fk_invoice_line_document")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_invoice_line")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("invoice_line", schema=None) as batch_op:
        batch_op.create_index("ix_invoice_line_document", ["document"], unique=False)
        batch_op.create_index(
            "ix_invoice_line_placed",
            ["placed_at"],
            unique=False,
            sqlite_where=sa.text("placed_at IS NOT NULL"),
            postgresql_where=sa.text("placed_at IS NOT NULL"),
        )
        batch_op.create_index("ix_invoice_line_voucher", ["voucher_key"], unique=False)

    op.create_table(
        "review",
        sa.Column(
            "number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("message", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("event", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("programme", sa.String(length=80), nullable=True),
        sa.Column(
            "voucher_key",
            sa.String(length=80).with_variant(sa.String(length=80, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column("suggestions", sa.JSON(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["event"], ["event.id"], name=op.f("fk_review_event")),
        sa.ForeignKeyConstraint(["message"], ["message.id"], name=op.f("fk_review_message")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_review")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("review", schema=None) as batch_op:
        batch_op.create_index("ix_review_event", ["event"], unique=False)
        batch_op.create_index("ix_review_open", ["status", "code"], unique=False)
        batch_op.create_index("ix_review_query", ["query"], unique=False)

    op.create_table(
        "hold",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("scope", sa.String(length=20), nullable=False),
        sa.Column("programme", sa.String(length=80), nullable=False),
        sa.Column(
            "subject",
            sa.String(length=80).with_variant(sa.String(length=80, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("message", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("releases", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["message"], ["message.id"], name=op.f("fk_hold_message")),
        sa.ForeignKeyConstraint(["releases"], ["hold.id"], name=op.f("fk_hold_releases")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("hold", schema=None) as batch_op:
        batch_op.create_index("ix_hold_subject", ["scope", "programme", "subject"], unique=False)
        batch_op.create_index("ix_hold_message", ["message"], unique=False)
        batch_op.create_index("ix_hold_releases", ["releases"], unique=False)
        batch_op.create_index("ix_hold_recorded_at", ["recorded_at"], unique=False)

    op.create_table(
        "calendar_entry",
        sa.Column("programme", sa.String(length=80), nullable=False),
        sa.Column(
            "voucher_key",
            sa.String(length=80).with_variant(sa.String(length=80, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("deadline", sa.String(length=40), nullable=False),
        sa.Column("partner", sa.String(length=80), nullable=False),
        sa.Column("voucher", sa.String(length=80), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("ended", sa.Boolean(), nullable=False),
        sa.Column("told", sa.Integer(), nullable=True),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint(
            "programme", "voucher_key", "deadline", "partner", name=op.f("pk_calendar_entry")
        ),
    )
    with op.batch_alter_table("calendar_entry", schema=None) as batch_op:
        batch_op.create_index("ix_calendar_entry_partner", ["partner", "on"], unique=False)
        batch_op.create_index(
            "ix_calendar_entry_untold",
            ["partner"],
            unique=False,
            sqlite_where=sa.text("told < sequence"),
            postgresql_where=sa.text("told < sequence"),
        )

    op.create_table(
        "alarm",
        sa.Column(
            "number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("on", sa.Date(), nullable=True),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("raised_at", Instant(), nullable=False),
        sa.Column("mail", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["mail"], ["outbox.id"], name=op.f("fk_alarm_mail")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_alarm")),
        sa.UniqueConstraint("about", name=op.f("uq_alarm_about")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("alarm", schema=None) as batch_op:
        batch_op.create_index(
            "ix_alarm_untold",
            ["number"],
            unique=False,
            sqlite_where=sa.text("mail IS NULL"),
            postgresql_where=sa.text("mail IS NULL"),
        )

    op.create_table(
        "suppression",
        sa.Column(
            "number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("cause", sa.String(length=20), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("partner", sa.String(length=80), nullable=True),
        sa.Column("mail", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("message", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("lifted_at", Instant(), nullable=True),
        sa.Column("lifted_by", sa.Text(), nullable=False),
        sa.Column("lifted_why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["mail"], ["outbox.id"], name=op.f("fk_suppression_mail")),
        sa.ForeignKeyConstraint(["message"], ["message.id"], name=op.f("fk_suppression_message")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_suppression")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("suppression", schema=None) as batch_op:
        batch_op.create_index(
            "ix_suppression_standing",
            ["address"],
            unique=True,
            sqlite_where=sa.text("lifted_at IS NULL"),
            postgresql_where=sa.text("lifted_at IS NULL"),
        )

    op.create_table(
        "line_hint",
        sa.Column("line", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "voucher_key",
            sa.String(length=80).with_variant(sa.String(length=80, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("voucher", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(["line"], ["invoice_line.number"], name=op.f("fk_line_hint_line")),
        sa.PrimaryKeyConstraint("line", "voucher_key", name=op.f("pk_line_hint")),
    )
    with op.batch_alter_table("line_hint", schema=None) as batch_op:
        batch_op.create_index("ix_line_hint_voucher", ["voucher_key"], unique=False)

    op.create_table(
        "told_invoice",
        sa.Column(
            "document",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("doubtful", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["document"], ["invoice.number"], name=op.f("fk_told_invoice_document")),
        sa.PrimaryKeyConstraint("document", name=op.f("pk_told_invoice")),
    )
    with op.batch_alter_table("told_invoice", schema=None) as batch_op:
        batch_op.create_index(
            "ix_told_invoice",
            ["document"],
            unique=False,
            sqlite_where=sa.text("doubtful = 1"),
            postgresql_where=sa.text("doubtful = 1"),
        )

    op.create_table(
        "told_line",
        sa.Column(
            "line",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("document", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("line_class", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(["document"], ["invoice.number"], name=op.f("fk_told_line_document")),
        sa.ForeignKeyConstraint(["line"], ["invoice_line.number"], name=op.f("fk_told_line_line")),
        sa.PrimaryKeyConstraint("line", name=op.f("pk_told_line")),
    )
    with op.batch_alter_table("told_line", schema=None) as batch_op:
        batch_op.create_index("ix_told_line_document", ["document"], unique=False)

    op.create_table(
        "awaited_payment",
        sa.Column(
            "number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("review", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "voucher_key",
            sa.String(length=80).with_variant(sa.String(length=80, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column("invoice_key", sa.Text(), nullable=True),
        sa.Column("digest", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("row", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["review"], ["review.number"], name=op.f("fk_awaited_payment_review")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_awaited_payment")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("awaited_payment", schema=None) as batch_op:
        batch_op.create_index("ix_awaited_payment_review", ["review"], unique=False)

    op.create_table(
        "period",
        sa.Column(
            "number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("since", sa.Date(), nullable=True),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("closed_at", Instant(), nullable=False),
        sa.Column("last_document", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("vouchers", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("bridge", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_period")),
        sqlite_autoincrement=True,
    )

    op.create_table(
        "decision",
        sa.Column(
            "number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("word", sa.String(length=20), nullable=False),
        sa.Column("line", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("document", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("period", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("programme", sa.String(length=80), nullable=True),
        sa.Column(
            "voucher_key",
            sa.String(length=80).with_variant(sa.String(length=80, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column("voucher", sa.String(length=80), nullable=True),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("amount", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("undoes", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["line"], ["invoice_line.number"], name=op.f("fk_decision_line")),
        sa.ForeignKeyConstraint(["document"], ["invoice.number"], name=op.f("fk_decision_document")),
        sa.ForeignKeyConstraint(["period"], ["period.number"], name=op.f("fk_decision_period")),
        sa.ForeignKeyConstraint(["undoes"], ["decision.number"], name=op.f("fk_decision_undoes")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_decision")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("decision", schema=None) as batch_op:
        batch_op.create_index("ix_decision_document", ["document"], unique=False)
        batch_op.create_index("ix_decision_line", ["line"], unique=False)
        batch_op.create_index("ix_decision_period", ["period"], unique=False)
        batch_op.create_index("ix_decision_recorded_at", ["recorded_at"], unique=False)
        batch_op.create_index("ix_decision_voucher", ["voucher_key"], unique=False)

    op.create_table(
        "verdict",
        sa.Column(
            "voucher_key",
            sa.String(length=80).with_variant(sa.String(length=80, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "programme",
            sa.String(length=80).with_variant(sa.String(length=80, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("voucher", sa.String(length=80), nullable=False),
        sa.Column("redeemed_on", sa.Date(), nullable=False),
        sa.Column("row", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("voucher_key", "programme", name=op.f("pk_verdict")),
    )

    op.create_table(
        "closed",
        sa.Column(
            "voucher_key",
            sa.String(length=80).with_variant(sa.String(length=80, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "programme",
            sa.String(length=80).with_variant(sa.String(length=80, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("period", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("voucher", sa.String(length=80), nullable=False),
        sa.Column("row", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["period"], ["period.number"], name=op.f("fk_closed_period")),
        sa.PrimaryKeyConstraint("voucher_key", "programme", "period", name=op.f("pk_closed")),
    )

    op.create_table(
        "removal",
        sa.Column(
            "number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("removed_at", Instant(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_removal")),
        sqlite_autoincrement=True,
    )
