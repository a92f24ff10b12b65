"""Reconciliation with the gateway, requests that carry an approval, webhooks that can be sent through again."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from transactional.core.types import BigInt, UtcDateTime

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "reconciliation_runs",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("gateway", sa.String(length=16), nullable=False),
        sa.Column("window_start", UtcDateTime(), nullable=False),
        sa.Column("window_end", UtcDateTime(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "running", "finished", "failed", name="run_state", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("payments_compared", sa.Integer(), nullable=False),
        sa.Column("refunds_compared", sa.Integer(), nullable=False),
        sa.Column("differences_open", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(length=300), nullable=True),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("window_start < window_end", name=op.f("ck_reconciliation_runs_window")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliation_runs")),
    )
    with op.batch_alter_table("reconciliation_runs") as batch_op:
        batch_op.create_index(batch_op.f("ix_reconciliation_runs_started_at"), ["started_at"], unique=False)

    op.create_table(
        "reconciliation_totals",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("run_id", BigInt, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column(
            "figure",
            sa.Enum(
                "captured",
                "refunded",
                "fee",
                "fee_tax",
                "net",
                "refund",
                name="figure",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("ours_minor", BigInt, nullable=False),
        sa.Column("theirs_minor", BigInt, nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["reconciliation_runs.id"], name=op.f("fk_reconciliation_totals_run_id_reconciliation_runs")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliation_totals")),
        sa.UniqueConstraint(
            "run_id", "currency", "figure", name=op.f("uq_reconciliation_totals_run_id_currency_figure")
        ),
    )
    op.create_table(
        "gateway_differences",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("run_id", BigInt, nullable=False),
        sa.Column("last_run_id", BigInt, nullable=False),
        sa.Column("gateway", sa.String(length=16), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "captured",
                "refunded",
                "fee",
                "fee_tax",
                "net",
                "refund",
                name="figure",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.Column("gateway_payment_id", sa.String(length=64), nullable=False),
        sa.Column("gateway_refund_id", sa.String(length=64), nullable=True),
        sa.Column("order_id", BigInt, nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("ours_minor", BigInt, nullable=False),
        sa.Column("theirs_minor", BigInt, nullable=False),
        sa.Column("found_at", UtcDateTime(), nullable=False),
        sa.Column("resolved_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["last_run_id"],
            ["reconciliation_runs.id"],
            name=op.f("fk_gateway_differences_last_run_id_reconciliation_runs"),
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_gateway_differences_order_id_orders")),
        sa.ForeignKeyConstraint(
            ["run_id"], ["reconciliation_runs.id"], name=op.f("fk_gateway_differences_run_id_reconciliation_runs")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gateway_differences")),
    )
    with op.batch_alter_table("gateway_differences") as batch_op:
        batch_op.create_index(batch_op.f("ix_gateway_differences_order_id"), ["order_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_gateway_differences_run_id"), ["run_id"], unique=False)
        batch_op.create_index(
            "uq_gateway_differences_open",
            ["gateway", "kind", "reference"],
            unique=True,
            sqlite_where=sa.text("resolved_at IS NULL"),
            postgresql_where=sa.text("resolved_at IS NULL"),
        )

    with op.batch_alter_table("gateway_orders") as batch_op:
        batch_op.add_column(
            sa.Column(
                "purpose",
                sa.Enum("order", "extra", name="request_purpose", native_enum=False, create_constraint=True, length=32),
                server_default="order",
                nullable=False,
            )
        )
        batch_op.add_column(sa.Column("approval_sha256", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("expires_at", UtcDateTime(), nullable=True))

    with op.batch_alter_table("webhook_inbox") as batch_op:
        batch_op.add_column(sa.Column("requeued_at", UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column("requeued_by", sa.String(length=64), nullable=True))


def downgrade() -> None:
    """Revert."""
    with op.batch_alter_table("webhook_inbox") as batch_op:
        batch_op.drop_column("requeued_by")
        batch_op.drop_column("requeued_at")

    with op.batch_alter_table("gateway_orders") as batch_op:
        batch_op.drop_constraint(op.f("ck_gateway_orders_request_purpose"), type_="check")
        batch_op.drop_column("expires_at")
        batch_op.drop_column("approval_sha256")
        batch_op.drop_column("purpose")

    with op.batch_alter_table("gateway_differences") as batch_op:
        batch_op.drop_index(
            "uq_gateway_differences_open",
            sqlite_where=sa.text("resolved_at IS NULL"),
            postgresql_where=sa.text("resolved_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_gateway_differences_run_id"))
        batch_op.drop_index(batch_op.f("ix_gateway_differences_order_id"))

    op.drop_table("gateway_differences")
    op.drop_table("reconciliation_totals")
    with op.batch_alter_table("reconciliation_runs") as batch_op:
        batch_op.drop_index(batch_op.f("ix_reconciliation_runs_started_at"))

    op.drop_table("reconciliation_runs")
