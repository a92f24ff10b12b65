"""The whole life of an order: units counted, change sets, approvals, refund decisions, differences.

Orders that were sent before units were counted get their counts from their status: what a shop shipped then went in one
parcel.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from transactional.core.types import BigInt, JsonType, UtcDateTime

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_LINE_CHECKS = {
    "given_back": "cancelled_quantity >= 0 AND came_back_quantity >= 0"
    " AND returned_quantity + cancelled_quantity + came_back_quantity <= quantity",
    "shipped": "shipped_quantity >= 0 AND shipped_quantity + cancelled_quantity <= quantity",
    "delivered": "delivered_quantity >= 0 AND delivered_quantity + came_back_quantity <= shipped_quantity",
}

_COUNT_SHIPPED = """
UPDATE order_lines SET shipped_quantity = quantity
WHERE order_id IN (SELECT id FROM orders WHERE status IN ('shipped', 'partially_delivered', 'delivered'))
"""
_COUNT_DELIVERED = """
UPDATE order_lines SET delivered_quantity = quantity
WHERE order_id IN (SELECT id FROM orders WHERE status = 'delivered')
"""


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "order_approvals",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("order_id", BigInt, nullable=False),
        sa.Column("content_sha256", sa.String(length=64), nullable=False),
        sa.Column("amount_minor", BigInt, nullable=False),
        sa.Column("approved_by", sa.String(length=64), nullable=False),
        sa.Column("approved_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("voided_at", UtcDateTime(), nullable=True),
        sa.Column("voided_by", sa.String(length=64), nullable=True),
        sa.Column("void_reason", sa.String(length=200), nullable=True),
        sa.CheckConstraint("amount_minor >= 0", name=op.f("ck_order_approvals_amount")),
        sa.CheckConstraint("length(content_sha256) = 64", name=op.f("ck_order_approvals_content")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_approvals_order_id_orders")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_approvals")),
    )
    with op.batch_alter_table("order_approvals") as batch_op:
        batch_op.create_index(batch_op.f("ix_order_approvals_order_id"), ["order_id"], unique=False)
        batch_op.create_index(
            "uq_order_approvals_live",
            ["order_id"],
            unique=True,
            sqlite_where=sa.text("voided_at IS NULL"),
            postgresql_where=sa.text("voided_at IS NULL"),
        )

    op.create_table(
        "order_changes",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("order_id", BigInt, nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "edit",
                "cancellation",
                "exchange",
                "claim",
                name="change_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "draft",
                "awaiting_payment",
                "applied",
                "declined",
                name="change_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("added_minor", BigInt, nullable=False),
        sa.Column("given_up_minor", BigInt, nullable=False),
        sa.Column("difference_minor", BigInt, nullable=False),
        sa.Column("ship_to", JsonType, nullable=True),
        sa.Column("ship_to_before", JsonType, nullable=True),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("applied_at", UtcDateTime(), nullable=True),
        sa.Column("declined_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("(status = 'applied') = (applied_at IS NOT NULL)", name=op.f("ck_order_changes_applied")),
        sa.CheckConstraint("added_minor >= 0 AND given_up_minor >= 0", name=op.f("ck_order_changes_amounts")),
        sa.CheckConstraint("difference_minor = added_minor - given_up_minor", name=op.f("ck_order_changes_difference")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_changes_order_id_orders")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_changes")),
        sa.UniqueConstraint("public_id", name=op.f("uq_order_changes_public_id")),
    )
    with op.batch_alter_table("order_changes") as batch_op:
        batch_op.create_index(batch_op.f("ix_order_changes_order_id"), ["order_id"], unique=False)
        batch_op.create_index("ix_order_changes_status_expires_at", ["status", "expires_at"], unique=False)
        batch_op.create_index(
            "uq_order_changes_open",
            ["order_id"],
            unique=True,
            sqlite_where=sa.text("status IN ('draft', 'awaiting_payment')"),
            postgresql_where=sa.text("status IN ('draft', 'awaiting_payment')"),
        )

    op.create_table(
        "order_differences",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("order_id", BigInt, nullable=False),
        sa.Column("field", sa.String(length=80), nullable=False),
        sa.Column("expected", sa.String(length=300), nullable=False),
        sa.Column("found", sa.String(length=300), nullable=False),
        sa.Column("noticed_at", UtcDateTime(), nullable=False),
        sa.Column("resolved_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_differences_order_id_orders")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_differences")),
    )
    with op.batch_alter_table("order_differences") as batch_op:
        batch_op.create_index(batch_op.f("ix_order_differences_order_id"), ["order_id"], unique=False)
        batch_op.create_index(
            "uq_order_differences_open",
            ["order_id", "field"],
            unique=True,
            sqlite_where=sa.text("resolved_at IS NULL"),
            postgresql_where=sa.text("resolved_at IS NULL"),
        )

    op.create_table(
        "order_refund_decisions",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("order_id", BigInt, nullable=False),
        sa.Column("cause", sa.String(length=80), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "cancelled",
                "shipped",
                "delivered",
                "came_back",
                "returned",
                name="unit_move",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("units_minor", BigInt, nullable=False),
        sa.Column("shipping_minor", BigInt, nullable=False),
        sa.Column("coupon_withheld_minor", BigInt, nullable=False),
        sa.Column("refund_minor", BigInt, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("policy", JsonType, nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "refund_minor = units_minor + shipping_minor - coupon_withheld_minor",
            name=op.f("ck_order_refund_decisions_refund"),
        ),
        sa.CheckConstraint(
            "units_minor >= 0 AND shipping_minor >= 0 AND refund_minor >= 0",
            name=op.f("ck_order_refund_decisions_amounts"),
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_refund_decisions_order_id_orders")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_refund_decisions")),
        sa.UniqueConstraint("cause", name=op.f("uq_order_refund_decisions_cause")),
    )
    with op.batch_alter_table("order_refund_decisions") as batch_op:
        batch_op.create_index(batch_op.f("ix_order_refund_decisions_order_id"), ["order_id"], unique=False)

    op.create_table(
        "order_change_lines",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("change_id", BigInt, nullable=False),
        sa.Column("action", sa.String(length=8), nullable=False),
        sa.Column("order_line_id", BigInt, nullable=True),
        sa.Column("variant_id", BigInt, nullable=False),
        sa.Column("product_id", BigInt, nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("quantity", BigInt, nullable=False),
        sa.Column("unit_price_minor", BigInt, nullable=False),
        sa.Column("gross_minor", BigInt, nullable=False),
        sa.Column("line_discount_minor", BigInt, nullable=False),
        sa.Column("tax_minor", BigInt, nullable=False),
        sa.Column("net_minor", BigInt, nullable=False),
        sa.Column("customisation", JsonType, nullable=False),
        sa.CheckConstraint("action = 'add' OR order_line_id IS NOT NULL", name=op.f("ck_order_change_lines_line")),
        sa.CheckConstraint("action IN ('add', 'remove')", name=op.f("ck_order_change_lines_action")),
        sa.CheckConstraint(
            "net_minor = gross_minor - line_discount_minor AND net_minor >= 0", name=op.f("ck_order_change_lines_net")
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_order_change_lines_quantity")),
        sa.ForeignKeyConstraint(
            ["change_id"], ["order_changes.id"], name=op.f("fk_order_change_lines_change_id_order_changes")
        ),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_lines.id"], name=op.f("fk_order_change_lines_order_line_id_order_lines")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_order_change_lines_product_id_products")
        ),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["product_variants.id"], name=op.f("fk_order_change_lines_variant_id_product_variants")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_change_lines")),
    )
    with op.batch_alter_table("order_change_lines") as batch_op:
        batch_op.create_index(batch_op.f("ix_order_change_lines_change_id"), ["change_id"], unique=False)

    op.create_table(
        "order_unit_moves",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("order_id", BigInt, nullable=False),
        sa.Column("order_line_id", BigInt, nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "cancelled",
                "shipped",
                "delivered",
                "came_back",
                "returned",
                name="unit_move",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("quantity", BigInt, nullable=False),
        sa.Column("first_unit", BigInt, nullable=True),
        sa.Column("refund_minor", BigInt, nullable=False),
        sa.Column("shipment_id", BigInt, nullable=True),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "(first_unit IS NULL) = (kind IN ('shipped', 'delivered'))", name=op.f("ck_order_unit_moves_first_unit")
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_order_unit_moves_quantity")),
        sa.CheckConstraint("refund_minor >= 0", name=op.f("ck_order_unit_moves_refund")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_unit_moves_order_id_orders")),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_lines.id"], name=op.f("fk_order_unit_moves_order_line_id_order_lines")
        ),
        sa.ForeignKeyConstraint(
            ["shipment_id"], ["shipments.id"], name=op.f("fk_order_unit_moves_shipment_id_shipments")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_unit_moves")),
        sa.UniqueConstraint(
            "shipment_id", "kind", "order_line_id", name=op.f("uq_order_unit_moves_shipment_id_kind_order_line_id")
        ),
    )
    with op.batch_alter_table("order_unit_moves") as batch_op:
        batch_op.create_index(batch_op.f("ix_order_unit_moves_order_id"), ["order_id"], unique=False)

    with op.batch_alter_table("order_lines") as batch_op:
        batch_op.add_column(sa.Column("cancelled_quantity", BigInt, server_default=sa.text("0"), nullable=False))
        batch_op.add_column(sa.Column("shipped_quantity", BigInt, server_default=sa.text("0"), nullable=False))
        batch_op.add_column(sa.Column("delivered_quantity", BigInt, server_default=sa.text("0"), nullable=False))
        batch_op.add_column(sa.Column("came_back_quantity", BigInt, server_default=sa.text("0"), nullable=False))
        for name, condition in _LINE_CHECKS.items():
            batch_op.create_check_constraint(op.f(f"ck_order_lines_{name}"), condition)
    op.execute(_COUNT_SHIPPED)
    op.execute(_COUNT_DELIVERED)

    with op.batch_alter_table("order_status_changes") as batch_op:
        batch_op.add_column(sa.Column("stamps", JsonType, nullable=True))

    with op.batch_alter_table("returns") as batch_op:
        batch_op.add_column(
            sa.Column(
                "cause",
                sa.Enum(
                    "changed_mind",
                    "damaged",
                    "wrong_item",
                    "not_as_described",
                    "late",
                    name="return_cause",
                    native_enum=False,
                    create_constraint=True,
                    length=32,
                ),
                server_default="changed_mind",
                nullable=False,
            )
        )
        batch_op.add_column(sa.Column("exchange_change_id", BigInt, nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_returns_exchange_change_id_order_changes"), "order_changes", ["exchange_change_id"], ["id"]
        )


def downgrade() -> None:
    """Revert."""
    with op.batch_alter_table("returns") as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_returns_exchange_change_id_order_changes"), type_="foreignkey")
        batch_op.drop_constraint(op.f("ck_returns_return_cause"), type_="check")
        batch_op.drop_column("exchange_change_id")
        batch_op.drop_column("cause")

    with op.batch_alter_table("order_status_changes") as batch_op:
        batch_op.drop_column("stamps")

    with op.batch_alter_table("order_lines") as batch_op:
        for name in _LINE_CHECKS:
            batch_op.drop_constraint(op.f(f"ck_order_lines_{name}"), type_="check")
        batch_op.drop_column("came_back_quantity")
        batch_op.drop_column("delivered_quantity")
        batch_op.drop_column("shipped_quantity")
        batch_op.drop_column("cancelled_quantity")

    with op.batch_alter_table("order_unit_moves") as batch_op:
        batch_op.drop_index(batch_op.f("ix_order_unit_moves_order_id"))

    op.drop_table("order_unit_moves")
    with op.batch_alter_table("order_change_lines") as batch_op:
        batch_op.drop_index(batch_op.f("ix_order_change_lines_change_id"))

    op.drop_table("order_change_lines")
    with op.batch_alter_table("order_refund_decisions") as batch_op:
        batch_op.drop_index(batch_op.f("ix_order_refund_decisions_order_id"))

    op.drop_table("order_refund_decisions")
    with op.batch_alter_table("order_differences") as batch_op:
        batch_op.drop_index(
            "uq_order_differences_open",
            sqlite_where=sa.text("resolved_at IS NULL"),
            postgresql_where=sa.text("resolved_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_order_differences_order_id"))

    op.drop_table("order_differences")
    with op.batch_alter_table("order_changes") as batch_op:
        batch_op.drop_index(
            "uq_order_changes_open",
            sqlite_where=sa.text("status IN ('draft', 'awaiting_payment')"),
            postgresql_where=sa.text("status IN ('draft', 'awaiting_payment')"),
        )
        batch_op.drop_index("ix_order_changes_status_expires_at")
        batch_op.drop_index(batch_op.f("ix_order_changes_order_id"))

    op.drop_table("order_changes")
    with op.batch_alter_table("order_approvals") as batch_op:
        batch_op.drop_index(
            "uq_order_approvals_live",
            sqlite_where=sa.text("voided_at IS NULL"),
            postgresql_where=sa.text("voided_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_order_approvals_order_id"))

    op.drop_table("order_approvals")
