"""Stock that is bought: locations, reorder settings, alerts, bundles, transfers, suppliers and procurement"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from transactional.core.types import BigInt, JsonType, UtcDateTime

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

OLD_MOVEMENT_KINDS = ("receipt", "sale", "return", "adjustment")
MOVEMENT_KINDS = (*OLD_MOVEMENT_KINDS, "cancellation", "transfer")
INVENTORY_POLICIES = ("deny", "backorder", "untracked", "bundle")


def _allow(table: str, column: str, constraint: str, values: Sequence[str]) -> None:
    """Let a column hold these values and no others."""
    listed = ", ".join(f"'{value}'" for value in values)
    with op.batch_alter_table(table) as batch_op:
        batch_op.drop_constraint(op.f(f"ck_{table}_{constraint}"), type_="check")
        batch_op.create_check_constraint(op.f(f"ck_{table}_{constraint}"), f"{column} IN ({listed})")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "suppliers",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=True),
        sa.Column("phone", sa.String(length=32), nullable=True),
        sa.Column("over_delivery_bp", sa.Integer(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("over_delivery_bp BETWEEN 0 AND 10000", name=op.f("ck_suppliers_over_delivery")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppliers")),
        sa.UniqueConstraint("code", name=op.f("uq_suppliers_code")),
    )
    op.create_table(
        "purchase_orders",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("purchase_number", sa.String(length=32), nullable=False),
        sa.Column("supplier_id", BigInt, nullable=False),
        sa.Column("location_id", BigInt, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "draft",
                "placed",
                "partially_received",
                "received",
                "closed",
                "cancelled",
                name="purchase_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "origin",
            sa.Enum("manual", "reorder", name="purchase_origin", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("placed_at", UtcDateTime(), nullable=True),
        sa.Column("expected_at", UtcDateTime(), nullable=True),
        sa.Column("received_at", UtcDateTime(), nullable=True),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("cancelled_at", UtcDateTime(), nullable=True),
        sa.Column("closing_reason", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(
            ["location_id"], ["locations.id"], name=op.f("fk_purchase_orders_location_id_locations")
        ),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["suppliers.id"], name=op.f("fk_purchase_orders_supplier_id_suppliers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchase_orders")),
        sa.UniqueConstraint("purchase_number", name=op.f("uq_purchase_orders_purchase_number")),
    )
    with op.batch_alter_table("purchase_orders") as batch_op:
        batch_op.create_index("ix_purchase_orders_supplier_id_id", ["supplier_id", "id"], unique=False)
        batch_op.create_index(
            "uq_purchase_orders_reorder_draft",
            ["supplier_id", "location_id", "currency"],
            unique=True,
            sqlite_where=sa.text("status = 'draft' AND origin = 'reorder'"),
            postgresql_where=sa.text("status = 'draft' AND origin = 'reorder'"),
        )

    op.create_table(
        "supplier_feeds",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("supplier_id", BigInt, nullable=False),
        sa.Column("content_sha256", sa.String(length=64), nullable=False),
        sa.Column("items", BigInt, nullable=False),
        sa.Column("applied", BigInt, nullable=False),
        sa.Column("outdated", BigInt, nullable=False),
        sa.Column("unknown", BigInt, nullable=False),
        sa.Column("imported_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["suppliers.id"], name=op.f("fk_supplier_feeds_supplier_id_suppliers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supplier_feeds")),
    )
    with op.batch_alter_table("supplier_feeds") as batch_op:
        batch_op.create_index(batch_op.f("ix_supplier_feeds_supplier_id"), ["supplier_id"], unique=False)

    op.create_table(
        "purchase_receipts",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("purchase_order_id", BigInt, nullable=False),
        sa.Column("location_id", BigInt, nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("delivery_note", sa.String(length=120), nullable=False),
        sa.Column("received_by", sa.String(length=64), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["location_id"], ["locations.id"], name=op.f("fk_purchase_receipts_location_id_locations")
        ),
        sa.ForeignKeyConstraint(
            ["purchase_order_id"],
            ["purchase_orders.id"],
            name=op.f("fk_purchase_receipts_purchase_order_id_purchase_orders"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchase_receipts")),
        sa.UniqueConstraint("purchase_order_id", "key", name=op.f("uq_purchase_receipts_purchase_order_id_key")),
    )
    op.create_table(
        "bundle_components",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("bundle_variant_id", BigInt, nullable=False),
        sa.Column("component_variant_id", BigInt, nullable=False),
        sa.Column("quantity", BigInt, nullable=False),
        sa.CheckConstraint("bundle_variant_id <> component_variant_id", name=op.f("ck_bundle_components_component")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_bundle_components_quantity")),
        sa.ForeignKeyConstraint(
            ["bundle_variant_id"],
            ["product_variants.id"],
            name=op.f("fk_bundle_components_bundle_variant_id_product_variants"),
        ),
        sa.ForeignKeyConstraint(
            ["component_variant_id"],
            ["product_variants.id"],
            name=op.f("fk_bundle_components_component_variant_id_product_variants"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bundle_components")),
        sa.UniqueConstraint(
            "bundle_variant_id",
            "component_variant_id",
            name=op.f("uq_bundle_components_bundle_variant_id_component_variant_id"),
        ),
    )
    with op.batch_alter_table("bundle_components") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_bundle_components_component_variant_id"), ["component_variant_id"], unique=False
        )

    op.create_table(
        "stock_alerts",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("variant_id", BigInt, nullable=False),
        sa.Column("location_id", BigInt, nullable=False),
        sa.Column("low_stock_level", BigInt, nullable=False),
        sa.Column("saleable", BigInt, nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["location_id"], ["locations.id"], name=op.f("fk_stock_alerts_location_id_locations")),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["product_variants.id"], name=op.f("fk_stock_alerts_variant_id_product_variants")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_alerts")),
    )
    with op.batch_alter_table("stock_alerts") as batch_op:
        batch_op.create_index(
            "uq_stock_alerts_open",
            ["variant_id", "location_id"],
            unique=True,
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )

    op.create_table(
        "stock_transfers",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("variant_id", BigInt, nullable=False),
        sa.Column("from_location_id", BigInt, nullable=False),
        sa.Column("to_location_id", BigInt, nullable=False),
        sa.Column("quantity", BigInt, nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("from_location_id <> to_location_id", name=op.f("ck_stock_transfers_locations")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_stock_transfers_quantity")),
        sa.ForeignKeyConstraint(
            ["from_location_id"], ["locations.id"], name=op.f("fk_stock_transfers_from_location_id_locations")
        ),
        sa.ForeignKeyConstraint(
            ["to_location_id"], ["locations.id"], name=op.f("fk_stock_transfers_to_location_id_locations")
        ),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["product_variants.id"], name=op.f("fk_stock_transfers_variant_id_product_variants")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_transfers")),
    )
    op.create_table(
        "supplier_products",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("supplier_id", BigInt, nullable=False),
        sa.Column("supplier_sku", sa.String(length=64), nullable=False),
        sa.Column("variant_id", BigInt, nullable=False),
        sa.Column("pack_size", BigInt, nullable=False),
        sa.Column("minimum_quantity", BigInt, nullable=False),
        sa.Column("cost_minor", BigInt, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("lead_time_days", sa.Integer(), nullable=False),
        sa.Column("is_preferred", sa.Boolean(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("cost_minor >= 0", name=op.f("ck_supplier_products_cost")),
        sa.CheckConstraint("lead_time_days >= 0", name=op.f("ck_supplier_products_lead_time")),
        sa.CheckConstraint("minimum_quantity > 0", name=op.f("ck_supplier_products_minimum_quantity")),
        sa.CheckConstraint("pack_size > 0", name=op.f("ck_supplier_products_pack_size")),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["suppliers.id"], name=op.f("fk_supplier_products_supplier_id_suppliers")
        ),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["product_variants.id"], name=op.f("fk_supplier_products_variant_id_product_variants")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supplier_products")),
        sa.UniqueConstraint("supplier_id", "supplier_sku", name=op.f("uq_supplier_products_supplier_id_supplier_sku")),
    )
    with op.batch_alter_table("supplier_products") as batch_op:
        batch_op.create_index(batch_op.f("ix_supplier_products_variant_id"), ["variant_id"], unique=False)

    op.create_table(
        "purchase_order_lines",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("purchase_order_id", BigInt, nullable=False),
        sa.Column("supplier_product_id", BigInt, nullable=False),
        sa.Column("variant_id", BigInt, nullable=False),
        sa.Column("quantity", BigInt, nullable=False),
        sa.Column("unit_cost_minor", BigInt, nullable=True),
        sa.Column("tolerance", BigInt, nullable=False),
        sa.Column("received_quantity", BigInt, nullable=False),
        sa.Column("damaged_quantity", BigInt, nullable=False),
        sa.Column("short_quantity", BigInt, nullable=False),
        sa.Column("is_edited", sa.Boolean(), nullable=False),
        sa.Column("inputs", JsonType, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_purchase_order_lines_quantity")),
        sa.CheckConstraint(
            "received_quantity + damaged_quantity <= quantity + tolerance",
            name=op.f("ck_purchase_order_lines_received"),
        ),
        sa.CheckConstraint(
            "received_quantity >= 0 AND damaged_quantity >= 0 AND short_quantity >= 0",
            name=op.f("ck_purchase_order_lines_counts"),
        ),
        sa.ForeignKeyConstraint(
            ["purchase_order_id"],
            ["purchase_orders.id"],
            name=op.f("fk_purchase_order_lines_purchase_order_id_purchase_orders"),
        ),
        sa.ForeignKeyConstraint(
            ["supplier_product_id"],
            ["supplier_products.id"],
            name=op.f("fk_purchase_order_lines_supplier_product_id_supplier_products"),
        ),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["product_variants.id"], name=op.f("fk_purchase_order_lines_variant_id_product_variants")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchase_order_lines")),
        sa.UniqueConstraint(
            "purchase_order_id",
            "supplier_product_id",
            name=op.f("uq_purchase_order_lines_purchase_order_id_supplier_product_id"),
        ),
    )
    with op.batch_alter_table("purchase_order_lines") as batch_op:
        batch_op.create_index(batch_op.f("ix_purchase_order_lines_variant_id"), ["variant_id"], unique=False)

    op.create_table(
        "supplier_stock",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("supplier_product_id", BigInt, nullable=False),
        sa.Column("feed_id", BigInt, nullable=False),
        sa.Column("quantity", BigInt, nullable=False),
        sa.Column("as_of", UtcDateTime(), nullable=False),
        sa.Column("imported_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_supplier_stock_quantity")),
        sa.ForeignKeyConstraint(
            ["feed_id"], ["supplier_feeds.id"], name=op.f("fk_supplier_stock_feed_id_supplier_feeds")
        ),
        sa.ForeignKeyConstraint(
            ["supplier_product_id"],
            ["supplier_products.id"],
            name=op.f("fk_supplier_stock_supplier_product_id_supplier_products"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supplier_stock")),
        sa.UniqueConstraint("supplier_product_id", name=op.f("uq_supplier_stock_supplier_product_id")),
    )
    op.create_table(
        "purchase_receipt_lines",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("purchase_receipt_id", BigInt, nullable=False),
        sa.Column("purchase_order_line_id", BigInt, nullable=False),
        sa.Column("quantity", BigInt, nullable=False),
        sa.Column("damaged_quantity", BigInt, nullable=False),
        sa.Column("short_quantity", BigInt, nullable=False),
        sa.CheckConstraint(
            "quantity + damaged_quantity + short_quantity > 0", name=op.f("ck_purchase_receipt_lines_something")
        ),
        sa.CheckConstraint(
            "quantity >= 0 AND damaged_quantity >= 0 AND short_quantity >= 0",
            name=op.f("ck_purchase_receipt_lines_counts"),
        ),
        sa.ForeignKeyConstraint(
            ["purchase_order_line_id"],
            ["purchase_order_lines.id"],
            name=op.f("fk_purchase_receipt_lines_purchase_order_line_id_purchase_order_lines"),
        ),
        sa.ForeignKeyConstraint(
            ["purchase_receipt_id"],
            ["purchase_receipts.id"],
            name=op.f("fk_purchase_receipt_lines_purchase_receipt_id_purchase_receipts"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchase_receipt_lines")),
        sa.UniqueConstraint(
            "purchase_receipt_id",
            "purchase_order_line_id",
            name=op.f("uq_purchase_receipt_lines_purchase_receipt_id_purchase_order_line_id"),
        ),
    )
    with op.batch_alter_table("purchase_receipt_lines") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_purchase_receipt_lines_purchase_order_line_id"), ["purchase_order_line_id"], unique=False
        )

    op.create_table(
        "stock_requirements",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("variant_id", BigInt, nullable=False),
        sa.Column("location_id", BigInt, nullable=False),
        sa.Column("quantity", BigInt, nullable=False),
        sa.Column(
            "source",
            sa.Enum(
                "order",
                "forecast",
                "manual",
                name="requirement_source",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("order_id", BigInt, nullable=True),
        sa.Column("needed_by", sa.Date(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "covered",
                "met",
                "cancelled",
                name="requirement_state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("purchase_order_line_id", BigInt, nullable=True),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_stock_requirements_quantity")),
        sa.ForeignKeyConstraint(
            ["location_id"], ["locations.id"], name=op.f("fk_stock_requirements_location_id_locations")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_stock_requirements_order_id_orders")),
        sa.ForeignKeyConstraint(
            ["purchase_order_line_id"],
            ["purchase_order_lines.id"],
            name=op.f("fk_stock_requirements_purchase_order_line_id_purchase_order_lines"),
        ),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["product_variants.id"], name=op.f("fk_stock_requirements_variant_id_product_variants")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_requirements")),
    )
    with op.batch_alter_table("stock_requirements") as batch_op:
        batch_op.create_index("ix_stock_requirements_state_needed_by", ["state", "needed_by"], unique=False)
        batch_op.create_index(
            "uq_stock_requirements_forecast",
            ["purchase_order_line_id"],
            unique=True,
            sqlite_where=sa.text("source = 'forecast'"),
            postgresql_where=sa.text("source = 'forecast'"),
        )
        batch_op.create_index(
            "uq_stock_requirements_order",
            ["order_id", "variant_id", "location_id"],
            unique=True,
            sqlite_where=sa.text("source = 'order'"),
            postgresql_where=sa.text("source = 'order'"),
        )

    with op.batch_alter_table("locations") as batch_op:
        batch_op.add_column(sa.Column("address", sa.String(length=300), server_default="", nullable=False))
        batch_op.add_column(sa.Column("city", sa.String(length=120), server_default="", nullable=False))
        batch_op.add_column(sa.Column("postal_code", sa.String(length=12), nullable=True))
        batch_op.add_column(sa.Column("is_active", sa.Boolean(), server_default=sa.true(), nullable=False))
        batch_op.add_column(sa.Column("priority", sa.Integer(), server_default="100", nullable=False))

    with op.batch_alter_table("stock_holds") as batch_op:
        batch_op.add_column(sa.Column("bundle_variant_id", BigInt, nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_stock_holds_bundle_variant_id_product_variants"),
            "product_variants",
            ["bundle_variant_id"],
            ["id"],
        )

    with op.batch_alter_table("stock_levels") as batch_op:
        batch_op.add_column(sa.Column("backorder_limit", BigInt, nullable=True))
        batch_op.add_column(
            sa.Column(
                "reorder_policy",
                sa.Enum(
                    "off",
                    "fixed",
                    "forecast",
                    name="reorder_policy",
                    native_enum=False,
                    create_constraint=True,
                    length=32,
                ),
                server_default="off",
                nullable=False,
            )
        )
        batch_op.add_column(sa.Column("reorder_point", BigInt, server_default="0", nullable=False))
        batch_op.add_column(sa.Column("service_level_bp", sa.Integer(), server_default="9500", nullable=False))
        batch_op.create_check_constraint(op.f("ck_stock_levels_backorder_limit"), "backorder_limit >= 0")
        batch_op.create_check_constraint(op.f("ck_stock_levels_service_level"), "service_level_bp BETWEEN 1 AND 9999")

    with op.batch_alter_table("stock_movements") as batch_op:
        batch_op.add_column(sa.Column("purchase_receipt_line_id", BigInt, nullable=True))
        batch_op.add_column(sa.Column("transfer_id", BigInt, nullable=True))
        batch_op.create_unique_constraint(
            batch_op.f("uq_stock_movements_purchase_receipt_line_id"), ["purchase_receipt_line_id"]
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_stock_movements_transfer_id_stock_transfers"), "stock_transfers", ["transfer_id"], ["id"]
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_stock_movements_purchase_receipt_line_id_purchase_receipt_lines"),
            "purchase_receipt_lines",
            ["purchase_receipt_line_id"],
            ["id"],
        )

    _allow("stock_movements", "kind", "movement_kind", MOVEMENT_KINDS)
    _allow("product_variants", "inventory_policy", "inventory_policy", INVENTORY_POLICIES)


def downgrade() -> None:
    """Revert."""
    _allow("product_variants", "inventory_policy", "inventory_policy", INVENTORY_POLICIES[:-1])
    _allow("stock_movements", "kind", "movement_kind", OLD_MOVEMENT_KINDS)
    with op.batch_alter_table("stock_movements") as batch_op:
        batch_op.drop_constraint(
            batch_op.f("fk_stock_movements_purchase_receipt_line_id_purchase_receipt_lines"), type_="foreignkey"
        )
        batch_op.drop_constraint(batch_op.f("fk_stock_movements_transfer_id_stock_transfers"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("uq_stock_movements_purchase_receipt_line_id"), type_="unique")
        batch_op.drop_column("transfer_id")
        batch_op.drop_column("purchase_receipt_line_id")

    with op.batch_alter_table("stock_levels") as batch_op:
        batch_op.drop_constraint(op.f("ck_stock_levels_service_level"), type_="check")
        batch_op.drop_constraint(op.f("ck_stock_levels_backorder_limit"), type_="check")
        batch_op.drop_constraint(op.f("ck_stock_levels_reorder_policy"), type_="check")
        batch_op.drop_column("service_level_bp")
        batch_op.drop_column("reorder_point")
        batch_op.drop_column("reorder_policy")
        batch_op.drop_column("backorder_limit")

    with op.batch_alter_table("stock_holds") as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_stock_holds_bundle_variant_id_product_variants"), type_="foreignkey")
        batch_op.drop_column("bundle_variant_id")

    with op.batch_alter_table("locations") as batch_op:
        batch_op.drop_column("priority")
        batch_op.drop_column("is_active")
        batch_op.drop_column("postal_code")
        batch_op.drop_column("city")
        batch_op.drop_column("address")

    with op.batch_alter_table("stock_requirements") as batch_op:
        batch_op.drop_index(
            "uq_stock_requirements_order",
            sqlite_where=sa.text("source = 'order'"),
            postgresql_where=sa.text("source = 'order'"),
        )
        batch_op.drop_index(
            "uq_stock_requirements_forecast",
            sqlite_where=sa.text("source = 'forecast'"),
            postgresql_where=sa.text("source = 'forecast'"),
        )
        batch_op.drop_index("ix_stock_requirements_state_needed_by")

    op.drop_table("stock_requirements")
    with op.batch_alter_table("purchase_receipt_lines") as batch_op:
        batch_op.drop_index(batch_op.f("ix_purchase_receipt_lines_purchase_order_line_id"))

    op.drop_table("purchase_receipt_lines")
    op.drop_table("supplier_stock")
    with op.batch_alter_table("purchase_order_lines") as batch_op:
        batch_op.drop_index(batch_op.f("ix_purchase_order_lines_variant_id"))

    op.drop_table("purchase_order_lines")
    with op.batch_alter_table("supplier_products") as batch_op:
        batch_op.drop_index(batch_op.f("ix_supplier_products_variant_id"))

    op.drop_table("supplier_products")
    op.drop_table("stock_transfers")
    with op.batch_alter_table("stock_alerts") as batch_op:
        batch_op.drop_index(
            "uq_stock_alerts_open",
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )

    op.drop_table("stock_alerts")
    with op.batch_alter_table("bundle_components") as batch_op:
        batch_op.drop_index(batch_op.f("ix_bundle_components_component_variant_id"))

    op.drop_table("bundle_components")
    op.drop_table("purchase_receipts")
    with op.batch_alter_table("supplier_feeds") as batch_op:
        batch_op.drop_index(batch_op.f("ix_supplier_feeds_supplier_id"))

    op.drop_table("supplier_feeds")
    with op.batch_alter_table("purchase_orders") as batch_op:
        batch_op.drop_index(
            "uq_purchase_orders_reorder_draft",
            sqlite_where=sa.text("status = 'draft' AND origin = 'reorder'"),
            postgresql_where=sa.text("status = 'draft' AND origin = 'reorder'"),
        )
        batch_op.drop_index("ix_purchase_orders_supplier_id_id")

    op.drop_table("purchase_orders")
    op.drop_table("suppliers")
