"""Commission as lots with signed entries, and payouts that never change."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from transactional.core.types import BigInt, UtcDateTime

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "payout_batches",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("programme_id", BigInt, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("total_minor", BigInt, nullable=False),
        sa.Column("payouts", sa.Integer(), nullable=False),
        sa.Column("lots", sa.Integer(), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_payout_batches_sha256")),
        sa.CheckConstraint("total_minor > 0 AND payouts > 0 AND lots > 0", name=op.f("ck_payout_batches_amounts")),
        sa.ForeignKeyConstraint(
            ["programme_id"],
            ["affiliate_programmes.id"],
            name=op.f("fk_payout_batches_programme_id_affiliate_programmes"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_batches")),
        sa.UniqueConstraint("public_id", name=op.f("uq_payout_batches_public_id")),
    )
    with op.batch_alter_table("payout_batches") as batch_op:
        batch_op.create_index(batch_op.f("ix_payout_batches_programme_id"), ["programme_id"], unique=False)
    op.create_table(
        "affiliate_payouts",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("batch_id", BigInt, nullable=False),
        sa.Column("affiliate_id", BigInt, nullable=False),
        sa.Column("amount_minor", BigInt, nullable=False),
        sa.Column("full_name", sa.String(length=200), nullable=False),
        sa.Column("pay_to", sa.String(length=120), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_affiliate_payouts_amount")),
        sa.ForeignKeyConstraint(
            ["affiliate_id"], ["affiliates.id"], name=op.f("fk_affiliate_payouts_affiliate_id_affiliates")
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["payout_batches.id"], name=op.f("fk_affiliate_payouts_batch_id_payout_batches")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_affiliate_payouts")),
        sa.UniqueConstraint("batch_id", "affiliate_id", name=op.f("uq_affiliate_payouts_batch_id_affiliate_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_affiliate_payouts_public_id")),
    )
    with op.batch_alter_table("affiliate_payouts") as batch_op:
        batch_op.create_index(batch_op.f("ix_affiliate_payouts_affiliate_id"), ["affiliate_id"], unique=False)
    op.create_table(
        "commission_balances",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("affiliate_id", BigInt, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("pending_minor", BigInt, nullable=False),
        sa.Column("approved_minor", BigInt, nullable=False),
        sa.Column("reversed_minor", BigInt, nullable=False),
        sa.Column("paid_minor", BigInt, nullable=False),
        sa.Column("owed_minor", BigInt, nullable=False),
        sa.CheckConstraint(
            "approved_minor - reversed_minor - paid_minor >= 0", name=op.f("ck_commission_balances_payable")
        ),
        sa.CheckConstraint(
            "pending_minor >= 0 AND approved_minor >= 0 AND reversed_minor >= 0 AND paid_minor >= 0 AND owed_minor >= 0",
            name=op.f("ck_commission_balances_signs"),
        ),
        sa.ForeignKeyConstraint(
            ["affiliate_id"], ["affiliates.id"], name=op.f("fk_commission_balances_affiliate_id_affiliates")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commission_balances")),
        sa.UniqueConstraint("affiliate_id", "currency", name=op.f("uq_commission_balances_affiliate_id_currency")),
    )
    op.create_table(
        "commission_lots",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("affiliate_id", BigInt, nullable=False),
        sa.Column("attribution_id", BigInt, nullable=False),
        sa.Column("order_id", BigInt, nullable=False),
        sa.Column("order_line_id", BigInt, nullable=False),
        sa.Column("version_id", BigInt, nullable=False),
        sa.Column("rate_bp", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("quantity", BigInt, nullable=False),
        sa.Column("net_minor", BigInt, nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "pending",
                "approved",
                "paid",
                "offset",
                "reversed",
                name="commission_state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("amount_minor", BigInt, nullable=False),
        sa.Column("remaining_minor", BigInt, nullable=False),
        sa.Column("paid_minor", BigInt, nullable=False),
        sa.Column("offset_minor", BigInt, nullable=False),
        sa.Column("reversed_minor", BigInt, nullable=False),
        sa.Column("clawed_minor", BigInt, nullable=False),
        sa.Column("earned_at", UtcDateTime(), nullable=False),
        sa.Column("approvable_at", UtcDateTime(), nullable=True),
        sa.Column("approved_at", UtcDateTime(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.CheckConstraint(
            "amount_minor = remaining_minor + paid_minor + offset_minor + reversed_minor - clawed_minor",
            name=op.f("ck_commission_lots_sum"),
        ),
        sa.CheckConstraint("amount_minor > 0 AND quantity > 0", name=op.f("ck_commission_lots_amount")),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_commission_lots_sha256")),
        sa.CheckConstraint("rate_bp BETWEEN 1 AND 10000", name=op.f("ck_commission_lots_rate")),
        sa.CheckConstraint(
            "remaining_minor >= 0 AND paid_minor >= 0 AND offset_minor >= 0 AND clawed_minor >= 0",
            name=op.f("ck_commission_lots_signs"),
        ),
        sa.CheckConstraint(
            "reversed_minor BETWEEN clawed_minor AND amount_minor", name=op.f("ck_commission_lots_reversed")
        ),
        sa.ForeignKeyConstraint(
            ["affiliate_id"], ["affiliates.id"], name=op.f("fk_commission_lots_affiliate_id_affiliates")
        ),
        sa.ForeignKeyConstraint(
            ["attribution_id"],
            ["order_attributions.id"],
            name=op.f("fk_commission_lots_attribution_id_order_attributions"),
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_commission_lots_order_id_orders")),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_lines.id"], name=op.f("fk_commission_lots_order_line_id_order_lines")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["affiliate_programme_versions.id"],
            name=op.f("fk_commission_lots_version_id_affiliate_programme_versions"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commission_lots")),
        sa.UniqueConstraint("order_line_id", name=op.f("uq_commission_lots_order_line_id")),
    )
    with op.batch_alter_table("commission_lots") as batch_op:
        batch_op.create_index("ix_commission_lots_affiliate_id_state", ["affiliate_id", "state"], unique=False)
        batch_op.create_index(batch_op.f("ix_commission_lots_attribution_id"), ["attribution_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_commission_lots_order_id"), ["order_id"], unique=False)
        batch_op.create_index("ix_commission_lots_state_approvable_at", ["state", "approvable_at"], unique=False)
    op.create_table(
        "commission_entries",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("affiliate_id", BigInt, nullable=False),
        sa.Column("lot_id", BigInt, nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "earn",
                "approve",
                "reverse",
                "offset",
                "pay",
                name="commission_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("pending_minor", BigInt, nullable=False),
        sa.Column("payable_minor", BigInt, nullable=False),
        sa.Column("owed_minor", BigInt, nullable=False),
        sa.Column("covers_id", BigInt, nullable=True),
        sa.Column("payout_id", BigInt, nullable=True),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("(kind = 'offset') = (covers_id IS NOT NULL)", name=op.f("ck_commission_entries_covers")),
        sa.CheckConstraint("(kind = 'pay') = (payout_id IS NOT NULL)", name=op.f("ck_commission_entries_payout")),
        sa.CheckConstraint(
            "pending_minor <> 0 OR payable_minor <> 0 OR owed_minor <> 0", name=op.f("ck_commission_entries_amount")
        ),
        sa.ForeignKeyConstraint(
            ["affiliate_id"], ["affiliates.id"], name=op.f("fk_commission_entries_affiliate_id_affiliates")
        ),
        sa.ForeignKeyConstraint(
            ["covers_id"], ["commission_entries.id"], name=op.f("fk_commission_entries_covers_id_commission_entries")
        ),
        sa.ForeignKeyConstraint(
            ["lot_id"], ["commission_lots.id"], name=op.f("fk_commission_entries_lot_id_commission_lots")
        ),
        sa.ForeignKeyConstraint(
            ["payout_id"], ["affiliate_payouts.id"], name=op.f("fk_commission_entries_payout_id_affiliate_payouts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commission_entries")),
        sa.UniqueConstraint("lot_id", "covers_id", name=op.f("uq_commission_entries_lot_id_covers_id")),
    )
    with op.batch_alter_table("commission_entries") as batch_op:
        batch_op.create_index("ix_commission_entries_affiliate_id_id", ["affiliate_id", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_commission_entries_covers_id"), ["covers_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_commission_entries_payout_id"), ["payout_id"], unique=False)
    op.create_table(
        "payout_lots",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("payout_id", BigInt, nullable=False),
        sa.Column("lot_id", BigInt, nullable=False),
        sa.Column("amount_minor", BigInt, nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_payout_lots_amount")),
        sa.ForeignKeyConstraint(["lot_id"], ["commission_lots.id"], name=op.f("fk_payout_lots_lot_id_commission_lots")),
        sa.ForeignKeyConstraint(
            ["payout_id"], ["affiliate_payouts.id"], name=op.f("fk_payout_lots_payout_id_affiliate_payouts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_lots")),
        sa.UniqueConstraint("lot_id", name=op.f("uq_payout_lots_lot_id")),
    )
    with op.batch_alter_table("payout_lots") as batch_op:
        batch_op.create_index(batch_op.f("ix_payout_lots_payout_id"), ["payout_id"], unique=False)


def downgrade() -> None:
    """Revert."""
    with op.batch_alter_table("payout_lots") as batch_op:
        batch_op.drop_index(batch_op.f("ix_payout_lots_payout_id"))
    op.drop_table("payout_lots")
    with op.batch_alter_table("commission_entries") as batch_op:
        batch_op.drop_index(batch_op.f("ix_commission_entries_payout_id"))
        batch_op.drop_index(batch_op.f("ix_commission_entries_covers_id"))
        batch_op.drop_index("ix_commission_entries_affiliate_id_id")
    op.drop_table("commission_entries")
    with op.batch_alter_table("commission_lots") as batch_op:
        batch_op.drop_index("ix_commission_lots_state_approvable_at")
        batch_op.drop_index(batch_op.f("ix_commission_lots_order_id"))
        batch_op.drop_index(batch_op.f("ix_commission_lots_attribution_id"))
        batch_op.drop_index("ix_commission_lots_affiliate_id_state")
    op.drop_table("commission_lots")
    op.drop_table("commission_balances")
    with op.batch_alter_table("affiliate_payouts") as batch_op:
        batch_op.drop_index(batch_op.f("ix_affiliate_payouts_affiliate_id"))
    op.drop_table("affiliate_payouts")
    with op.batch_alter_table("payout_batches") as batch_op:
        batch_op.drop_index(batch_op.f("ix_payout_batches_programme_id"))
    op.drop_table("payout_batches")
