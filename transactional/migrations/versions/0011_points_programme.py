"""Points: wallets, tiers, campaigns, adjustments with a second person, and running sums beside the balance."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from transactional.core.types import BigInt, JsonType, UtcDateTime

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_PROGRAMME_CHECKS = {
    "floors": "negative_floor >= 0 AND promotional_negative_floor >= 0",
    "adjustment_limit": "adjustment_limit >= 0",
    "caps": "(max_earned_per_order IS NULL OR max_earned_per_order >= 0)"
    " AND (max_earned_per_day IS NULL OR max_earned_per_day >= 0)",
    "notices": "first_notice_days > last_notice_days AND last_notice_days > 0",
    "tiers": "tier_window_months > 0 AND tier_period_months > 0 AND tier_notice_days >= 0",
}

_FIRST_TIERS = """
INSERT INTO loyalty_tiers (programme_id, rank, name, threshold, grace_days, reinstatement_days)
SELECT programme.id, tier.rank, tier.name, tier.threshold, tier.grace_days, tier.reinstatement_days
FROM loyalty_programmes AS programme
CROSS JOIN (
    SELECT 0 AS rank, 'Bronze' AS name, 0 AS threshold, 0 AS grace_days, 0 AS reinstatement_days
    UNION ALL SELECT 1, 'Silver', 50, 30, 0
    UNION ALL SELECT 2, 'Gold', 150, 30, 30
    UNION ALL SELECT 3, 'Platinum', 400, 30, 90
) AS tier
WHERE programme.version = (SELECT MIN(version) FROM loyalty_programmes)
"""

_LINES = """
UPDATE order_line_points SET
    qualifying = earned,
    earned_at = (
        SELECT MIN(lot.earned_at) FROM point_lots AS lot
        WHERE lot.order_line_id = order_line_points.order_line_id AND lot.source = 'order'
    )
"""

_RUNNING_SUMS = """
UPDATE point_balances SET
    spent = COALESCE((
        SELECT -SUM(entry.points) FROM point_entries AS entry
        WHERE entry.customer_id = point_balances.customer_id AND entry.kind IN ('hold', 'release', 'restore')
    ), 0) - held,
    expired = COALESCE((
        SELECT -SUM(entry.points) FROM point_entries AS entry
        WHERE entry.customer_id = point_balances.customer_id AND entry.kind = 'expire'
    ), 0),
    reversed = COALESCE((
        SELECT -SUM(entry.points) FROM point_entries AS entry
        WHERE entry.customer_id = point_balances.customer_id AND entry.kind = 'reverse'
    ), 0)
"""

_CONSUMPTION_TIMES = """
UPDATE point_consumptions SET
    occurred_at = (SELECT entry.occurred_at FROM point_entries AS entry WHERE entry.id = point_consumptions.entry_id)
"""

_EARNED = "UPDATE point_entries SET qualifying = points, qualifying_at = occurred_at WHERE kind = 'earn'"

_REVERSED = """
UPDATE point_entries SET
    qualifying = points,
    qualifying_at = (SELECT lot.earned_at FROM point_lots AS lot WHERE lot.id = point_entries.lot_id)
WHERE kind = 'reverse'
"""

_WALLETS = "UPDATE point_entries SET wallet = 'earned' WHERE lot_id IS NOT NULL"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "loyalty_tiers",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("programme_id", BigInt, nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("threshold", BigInt, nullable=False),
        sa.Column("multiplier_bp", sa.Integer(), server_default=sa.text("10000"), nullable=False),
        sa.Column("grace_days", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("expiry_extension_days", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("reinstatement_days", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint(
            "grace_days >= 0 AND expiry_extension_days >= 0 AND reinstatement_days >= 0",
            name=op.f("ck_loyalty_tiers_days"),
        ),
        sa.CheckConstraint("multiplier_bp >= 0", name=op.f("ck_loyalty_tiers_multiplier")),
        sa.CheckConstraint(
            "rank >= 0 AND threshold >= 0 AND (rank > 0 OR threshold = 0)", name=op.f("ck_loyalty_tiers_threshold")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["loyalty_programmes.id"], name=op.f("fk_loyalty_tiers_programme_id_loyalty_programmes")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_loyalty_tiers")),
        sa.UniqueConstraint("programme_id", "name", name=op.f("uq_loyalty_tiers_programme_id_name")),
        sa.UniqueConstraint("programme_id", "rank", name=op.f("uq_loyalty_tiers_programme_id_rank")),
    )
    op.create_table(
        "loyalty_campaigns",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("multiplier_bp", sa.Integer(), nullable=False),
        sa.Column("category_id", BigInt, nullable=True),
        sa.Column("product_id", BigInt, nullable=True),
        sa.Column("tier", sa.String(length=40), nullable=True),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=True),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("category_id IS NULL OR product_id IS NULL", name=op.f("ck_loyalty_campaigns_target")),
        sa.CheckConstraint("ends_at IS NULL OR ends_at > starts_at", name=op.f("ck_loyalty_campaigns_period")),
        sa.CheckConstraint("multiplier_bp >= 0", name=op.f("ck_loyalty_campaigns_multiplier")),
        sa.ForeignKeyConstraint(
            ["category_id"], ["categories.id"], name=op.f("fk_loyalty_campaigns_category_id_categories")
        ),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_loyalty_campaigns_product_id_products")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_loyalty_campaigns")),
    )
    with op.batch_alter_table("loyalty_campaigns") as batch_op:
        batch_op.create_index("ix_loyalty_campaigns_starts_at", ["starts_at"], unique=False)

    op.create_table(
        "loyalty_tier_periods",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("customer_id", BigInt, nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("tier", sa.String(length=40), nullable=False),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("review_at", UtcDateTime(), nullable=True),
        sa.Column(
            "reason",
            sa.Enum(
                "start",
                "upgrade",
                "renewal",
                "downgrade",
                name="period_reason",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_loyalty_tier_periods_customer_id_customers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_loyalty_tier_periods")),
        sa.UniqueConstraint("customer_id", "starts_at", name=op.f("uq_loyalty_tier_periods_customer_id_starts_at")),
    )
    with op.batch_alter_table("loyalty_tier_periods") as batch_op:
        batch_op.create_index("ix_loyalty_tier_periods_review_at", ["review_at"], unique=False)

    op.create_table(
        "point_adjustments",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("customer_id", BigInt, nullable=False),
        sa.Column("points", BigInt, nullable=False),
        sa.Column(
            "wallet",
            sa.Enum("earned", "promotional", name="wallet", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "requested",
                "approved",
                "refused",
                "applied",
                name="adjustment_state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("asked_by", sa.String(length=64), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("decision_note", sa.String(length=200), nullable=True),
        sa.Column("entry_id", BigInt, nullable=True),
        sa.CheckConstraint("(state = 'applied') = (entry_id IS NOT NULL)", name=op.f("ck_point_adjustments_applied")),
        sa.CheckConstraint("(decided_by IS NULL) = (decided_at IS NULL)", name=op.f("ck_point_adjustments_decided")),
        sa.CheckConstraint(
            "decided_by IS NULL OR decided_by <> asked_by", name=op.f("ck_point_adjustments_second_person")
        ),
        sa.CheckConstraint("length(reason) > 0", name=op.f("ck_point_adjustments_reason")),
        sa.CheckConstraint("points <> 0", name=op.f("ck_point_adjustments_points")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_point_adjustments_customer_id_customers")
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["point_entries.id"], name=op.f("fk_point_adjustments_entry_id_point_entries")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_point_adjustments")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_point_adjustments_entry_id")),
    )
    with op.batch_alter_table("point_adjustments") as batch_op:
        batch_op.create_index("ix_point_adjustments_customer_id_id", ["customer_id", "id"], unique=False)
        batch_op.create_index("ix_point_adjustments_state_id", ["state", "id"], unique=False)

    op.create_table(
        "point_shortfalls",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("customer_id", BigInt, nullable=False),
        sa.Column("entry_id", BigInt, nullable=False),
        sa.Column("lot_id", BigInt, nullable=False),
        sa.Column(
            "wallet",
            sa.Enum("earned", "promotional", name="wallet", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("points", BigInt, nullable=False),
        sa.Column("value_minor", BigInt, nullable=False),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("closed_by", sa.String(length=64), nullable=True),
        sa.Column("closing_note", sa.String(length=200), nullable=True),
        sa.CheckConstraint("(closed_at IS NULL) = (closed_by IS NULL)", name=op.f("ck_point_shortfalls_closed")),
        sa.CheckConstraint("points > 0 AND value_minor >= 0", name=op.f("ck_point_shortfalls_amounts")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_point_shortfalls_customer_id_customers")
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["point_entries.id"], name=op.f("fk_point_shortfalls_entry_id_point_entries")
        ),
        sa.ForeignKeyConstraint(["lot_id"], ["point_lots.id"], name=op.f("fk_point_shortfalls_lot_id_point_lots")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_point_shortfalls")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_point_shortfalls_entry_id")),
    )
    with op.batch_alter_table("point_shortfalls") as batch_op:
        batch_op.create_index("ix_point_shortfalls_customer_id_closed_at", ["customer_id", "closed_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_point_shortfalls_lot_id"), ["lot_id"], unique=False)

    with op.batch_alter_table("loyalty_programmes") as batch_op:
        batch_op.add_column(
            sa.Column(
                "activation",
                sa.Enum(
                    "immediate",
                    "duration",
                    "delivery",
                    name="activation_rule",
                    native_enum=False,
                    create_constraint=True,
                    length=32,
                ),
                server_default="duration",
                nullable=False,
            )
        )
        batch_op.add_column(
            sa.Column(
                "activation_rounding",
                sa.Enum(
                    "none",
                    "end_of_day",
                    "end_of_month",
                    name="date_rounding",
                    native_enum=False,
                    create_constraint=True,
                    length=32,
                ),
                server_default="none",
                nullable=False,
            )
        )
        batch_op.add_column(sa.Column("earns_on_shipping", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column("earns_on_wrap", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column("earns_on_tax", sa.Boolean(), server_default=sa.true(), nullable=False))
        batch_op.add_column(sa.Column("max_earned_per_order", BigInt, nullable=True))
        batch_op.add_column(sa.Column("max_earned_per_day", BigInt, nullable=True))
        batch_op.add_column(sa.Column("negative_floor", BigInt, server_default=sa.text("10000"), nullable=False))
        batch_op.add_column(
            sa.Column("promotional_negative_floor", BigInt, server_default=sa.text("0"), nullable=False)
        )
        batch_op.add_column(sa.Column("promotional_expiry_days", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("max_earned_points_spent", BigInt, nullable=True))
        batch_op.add_column(sa.Column("max_promotional_points_spent", BigInt, nullable=True))
        batch_op.add_column(sa.Column("adjustment_limit", BigInt, server_default=sa.text("500"), nullable=False))
        batch_op.add_column(sa.Column("first_notice_days", sa.Integer(), server_default=sa.text("30"), nullable=False))
        batch_op.add_column(sa.Column("last_notice_days", sa.Integer(), server_default=sa.text("7"), nullable=False))
        batch_op.add_column(
            sa.Column(
                "tier_policy",
                sa.Enum(
                    "one_down",
                    "balance_based",
                    name="tier_policy",
                    native_enum=False,
                    create_constraint=True,
                    length=32,
                ),
                server_default="one_down",
                nullable=False,
            )
        )
        batch_op.add_column(sa.Column("tier_window_months", sa.Integer(), server_default=sa.text("12"), nullable=False))
        batch_op.add_column(sa.Column("tier_period_months", sa.Integer(), server_default=sa.text("12"), nullable=False))
        batch_op.add_column(sa.Column("tier_notice_days", sa.Integer(), server_default=sa.text("30"), nullable=False))
        batch_op.add_column(sa.Column("time_zone", sa.String(length=64), server_default="Asia/Kolkata", nullable=False))

    with op.batch_alter_table("loyalty_programmes") as batch_op:
        for name, condition in _PROGRAMME_CHECKS.items():
            batch_op.create_check_constraint(op.f(f"ck_loyalty_programmes_{name}"), condition)
    op.execute(_FIRST_TIERS)

    with op.batch_alter_table("order_line_points") as batch_op:
        batch_op.drop_constraint(op.f("ck_order_line_points_signs"), type_="check")
        batch_op.add_column(sa.Column("qualifying", BigInt, server_default=sa.text("0"), nullable=False))
        batch_op.add_column(sa.Column("earned_at", UtcDateTime(), nullable=True))
        batch_op.create_check_constraint(
            op.f("ck_order_line_points_signs"), "earned >= 0 AND spent >= 0 AND qualifying >= 0"
        )
    op.execute(_LINES)

    with op.batch_alter_table("point_balances") as batch_op:
        batch_op.add_column(sa.Column("owed_promotional", BigInt, server_default=sa.text("0"), nullable=False))
        batch_op.add_column(sa.Column("spent", BigInt, server_default=sa.text("0"), nullable=False))
        batch_op.add_column(sa.Column("expired", BigInt, server_default=sa.text("0"), nullable=False))
        batch_op.add_column(sa.Column("reversed", BigInt, server_default=sa.text("0"), nullable=False))
        batch_op.add_column(sa.Column("shortfall", BigInt, server_default=sa.text("0"), nullable=False))
        batch_op.create_check_constraint(
            op.f("ck_point_balances_debts"), "owed_promotional BETWEEN 0 AND owed AND shortfall >= 0"
        )
    op.execute(_RUNNING_SUMS)

    with op.batch_alter_table("point_consumptions") as batch_op:
        batch_op.add_column(sa.Column("occurred_at", UtcDateTime(), nullable=True))
    op.execute(_CONSUMPTION_TIMES)
    with op.batch_alter_table("point_consumptions") as batch_op:
        batch_op.alter_column("occurred_at", existing_type=UtcDateTime(), nullable=False)

    with op.batch_alter_table("point_entries") as batch_op:
        batch_op.add_column(
            sa.Column(
                "wallet",
                sa.Enum("earned", "promotional", name="wallet", native_enum=False, create_constraint=True, length=32),
                nullable=True,
            )
        )
        batch_op.add_column(sa.Column("qualifying", BigInt, server_default=sa.text("0"), nullable=False))
        batch_op.add_column(sa.Column("qualifying_at", UtcDateTime(), nullable=True))
        batch_op.create_index(
            "ix_point_entries_customer_id_qualifying_at", ["customer_id", "qualifying_at"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_point_entries_lot_id"), ["lot_id"], unique=False)
        batch_op.create_check_constraint(
            op.f("ck_point_entries_qualifying"), "qualifying = 0 OR qualifying_at IS NOT NULL"
        )
    op.execute(_EARNED)
    op.execute(_REVERSED)
    op.execute(_WALLETS)

    with op.batch_alter_table("point_lots") as batch_op:
        batch_op.add_column(
            sa.Column(
                "wallet",
                sa.Enum("earned", "promotional", name="wallet", native_enum=False, create_constraint=True, length=32),
                server_default="earned",
                nullable=False,
            )
        )
        batch_op.add_column(sa.Column("reference", sa.String(length=120), nullable=True))
        batch_op.add_column(sa.Column("multiplier_bp", sa.Integer(), server_default=sa.text("10000"), nullable=False))
        batch_op.add_column(sa.Column("terms", JsonType, server_default="{}", nullable=False))
        batch_op.alter_column("available_at", existing_type=UtcDateTime(), nullable=True)
        batch_op.create_index("ix_point_lots_state_expires_at", ["state", "expires_at"], unique=False)
        batch_op.create_unique_constraint(batch_op.f("uq_point_lots_reference"), ["reference"])


def downgrade() -> None:
    """Revert."""
    op.execute("UPDATE point_lots SET available_at = expires_at WHERE available_at IS NULL")
    with op.batch_alter_table("point_lots") as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_point_lots_reference"), type_="unique")
        batch_op.drop_index("ix_point_lots_state_expires_at")
        batch_op.alter_column("available_at", existing_type=UtcDateTime(), nullable=False)
        batch_op.drop_column("terms")
        batch_op.drop_column("multiplier_bp")
        batch_op.drop_column("reference")
        batch_op.drop_column("wallet")

    with op.batch_alter_table("point_entries") as batch_op:
        batch_op.drop_index(batch_op.f("ix_point_entries_lot_id"))
        batch_op.drop_index("ix_point_entries_customer_id_qualifying_at")
        batch_op.drop_constraint(op.f("ck_point_entries_qualifying"), type_="check")
        batch_op.drop_column("qualifying_at")
        batch_op.drop_column("qualifying")
        batch_op.drop_column("wallet")

    with op.batch_alter_table("point_consumptions") as batch_op:
        batch_op.drop_column("occurred_at")

    with op.batch_alter_table("point_balances") as batch_op:
        batch_op.drop_constraint(op.f("ck_point_balances_debts"), type_="check")
        batch_op.drop_column("shortfall")
        batch_op.drop_column("reversed")
        batch_op.drop_column("expired")
        batch_op.drop_column("spent")
        batch_op.drop_column("owed_promotional")

    with op.batch_alter_table("order_line_points") as batch_op:
        batch_op.drop_constraint(op.f("ck_order_line_points_signs"), type_="check")
        batch_op.drop_column("earned_at")
        batch_op.drop_column("qualifying")
        batch_op.create_check_constraint(op.f("ck_order_line_points_signs"), "earned >= 0 AND spent >= 0")

    with op.batch_alter_table("loyalty_programmes") as batch_op:
        for name in _PROGRAMME_CHECKS:
            batch_op.drop_constraint(op.f(f"ck_loyalty_programmes_{name}"), type_="check")
        batch_op.drop_column("time_zone")
        batch_op.drop_column("tier_notice_days")
        batch_op.drop_column("tier_period_months")
        batch_op.drop_column("tier_window_months")
        batch_op.drop_column("tier_policy")
        batch_op.drop_column("last_notice_days")
        batch_op.drop_column("first_notice_days")
        batch_op.drop_column("adjustment_limit")
        batch_op.drop_column("max_promotional_points_spent")
        batch_op.drop_column("max_earned_points_spent")
        batch_op.drop_column("promotional_expiry_days")
        batch_op.drop_column("promotional_negative_floor")
        batch_op.drop_column("negative_floor")
        batch_op.drop_column("max_earned_per_day")
        batch_op.drop_column("max_earned_per_order")
        batch_op.drop_column("earns_on_tax")
        batch_op.drop_column("earns_on_wrap")
        batch_op.drop_column("earns_on_shipping")
        batch_op.drop_column("activation_rounding")
        batch_op.drop_column("activation")

    with op.batch_alter_table("point_shortfalls") as batch_op:
        batch_op.drop_index(batch_op.f("ix_point_shortfalls_lot_id"))
        batch_op.drop_index("ix_point_shortfalls_customer_id_closed_at")

    op.drop_table("point_shortfalls")
    with op.batch_alter_table("point_adjustments") as batch_op:
        batch_op.drop_index("ix_point_adjustments_state_id")
        batch_op.drop_index("ix_point_adjustments_customer_id_id")

    op.drop_table("point_adjustments")
    with op.batch_alter_table("loyalty_tier_periods") as batch_op:
        batch_op.drop_index("ix_loyalty_tier_periods_review_at")

    op.drop_table("loyalty_tier_periods")
    with op.batch_alter_table("loyalty_campaigns") as batch_op:
        batch_op.drop_index("ix_loyalty_campaigns_starts_at")

    op.drop_table("loyalty_campaigns")
    op.drop_table("loyalty_tiers")
