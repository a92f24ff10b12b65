"""Parcels know their carrier's ids, contents and scans; tariffs by zone and weight; couriers chosen by rules."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from transactional.core.types import BigInt, JsonType, UtcDateTime

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "carrier_tokens",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("account", sa.String(length=160), nullable=False),
        sa.Column("token", sa.Text(), nullable=True),
        sa.Column("version", BigInt, nullable=False),
        sa.Column("issued_at", UtcDateTime(), nullable=True),
        sa.Column("leased_until", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carrier_tokens")),
        sa.UniqueConstraint("account", name=op.f("uq_carrier_tokens_account")),
    )
    op.create_table(
        "courier_rules",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column(
            "action",
            sa.Enum(
                "block", "allow", "adjust", name="rule_action", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("courier_id", BigInt, nullable=True),
        sa.Column("zone", sa.String(length=20), nullable=True),
        sa.Column("cod", sa.Boolean(), nullable=True),
        sa.Column("min_grams", sa.Integer(), nullable=False),
        sa.Column("max_grams", sa.Integer(), nullable=True),
        sa.Column("adjustment_minor", BigInt, nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "min_grams >= 0 AND (max_grams IS NULL OR max_grams >= min_grams)", name=op.f("ck_courier_rules_grams")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_courier_rules")),
        sa.UniqueConstraint("name", name=op.f("uq_courier_rules_name")),
    )
    op.create_table(
        "shipping_rates",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("zone", sa.String(length=20), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("slab_grams", sa.Integer(), nullable=False),
        sa.Column("first_minor", BigInt, nullable=False),
        sa.Column("next_minor", BigInt, nullable=False),
        sa.Column("free_from_minor", BigInt, nullable=True),
        sa.Column("max_grams", sa.Integer(), nullable=True),
        sa.CheckConstraint("first_minor >= 0 AND next_minor >= 0", name=op.f("ck_shipping_rates_amounts")),
        sa.CheckConstraint("slab_grams > 0", name=op.f("ck_shipping_rates_slab")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shipping_rates")),
        sa.UniqueConstraint("zone", "currency", name=op.f("uq_shipping_rates_zone_currency")),
    )
    op.create_table(
        "shipping_zones",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("prefix", sa.String(length=10), nullable=False),
        sa.Column("zone", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shipping_zones")),
        sa.UniqueConstraint("country", "prefix", name=op.f("uq_shipping_zones_country_prefix")),
    )
    op.create_table(
        "tracking_inbox",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "received",
                "processed",
                "ignored",
                name="tracking_inbox_state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("note", sa.String(length=300), nullable=True),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("processed_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tracking_inbox")),
        sa.UniqueConstraint("digest", name=op.f("uq_tracking_inbox_digest")),
    )
    with op.batch_alter_table("tracking_inbox") as batch_op:
        batch_op.create_index("ix_tracking_inbox_state_received_at", ["state", "received_at"], unique=False)

    op.create_table(
        "carrier_calls",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("shipment_id", BigInt, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(length=20), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "intended",
                "done",
                "refused",
                "unknown",
                name="call_state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("request", JsonType, nullable=False),
        sa.Column("answer", JsonType, nullable=True),
        sa.Column("foreign_ids", JsonType, nullable=False),
        sa.Column("note", sa.String(length=300), nullable=True),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["shipment_id"], ["shipments.id"], name=op.f("fk_carrier_calls_shipment_id_shipments")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carrier_calls")),
    )
    with op.batch_alter_table("carrier_calls") as batch_op:
        batch_op.create_index(batch_op.f("ix_carrier_calls_shipment_id"), ["shipment_id"], unique=False)

    op.create_table(
        "courier_choices",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("shipment_id", BigInt, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("courier_id", BigInt, nullable=False),
        sa.Column("courier_name", sa.String(length=80), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=True),
        sa.Column("chosen", sa.Boolean(), nullable=False),
        sa.Column("excluded_because", sa.String(length=200), nullable=True),
        sa.Column("rate_minor", BigInt, nullable=False),
        sa.Column("rto_charge_minor", BigInt, nullable=False),
        sa.Column("rto_probability_bp", sa.Integer(), nullable=False),
        sa.Column("adjustment_minor", BigInt, nullable=False),
        sa.Column("predicted_cost_minor", BigInt, nullable=False),
        sa.Column("estimated_days", sa.Integer(), nullable=True),
        sa.Column("rating_milli", sa.Integer(), nullable=True),
        sa.Column("reasons", JsonType, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shipment_id"], ["shipments.id"], name=op.f("fk_courier_choices_shipment_id_shipments")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_courier_choices")),
        sa.UniqueConstraint(
            "shipment_id", "attempt", "courier_id", name=op.f("uq_courier_choices_shipment_id_attempt_courier_id")
        ),
    )
    op.create_table(
        "shipment_events",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("shipment_id", BigInt, nullable=False),
        sa.Column("scan_key", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("courier_status", sa.String(length=64), nullable=False),
        sa.Column("activity", sa.String(length=300), nullable=False),
        sa.Column("location", sa.String(length=160), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "created",
                "awb_assigned",
                "pickup_scheduled",
                "picked_up",
                "in_transit",
                "out_for_delivery",
                "delivered",
                "undelivered",
                "rto_initiated",
                "rto_in_transit",
                "rto_delivered",
                "cancelled",
                "lost",
                "damaged",
                name="shipment_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("problem", sa.String(length=40), nullable=True),
        sa.Column(
            "source",
            sa.Enum(
                "shop",
                "webhook",
                "tracking",
                "staff",
                name="scan_source",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shipment_id"], ["shipments.id"], name=op.f("fk_shipment_events_shipment_id_shipments")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shipment_events")),
        sa.UniqueConstraint("shipment_id", "scan_key", name=op.f("uq_shipment_events_shipment_id_scan_key")),
    )
    op.create_table(
        "shipment_items",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("shipment_id", BigInt, nullable=False),
        sa.Column("order_line_id", BigInt, nullable=False),
        sa.Column("quantity", BigInt, nullable=False),
        sa.Column("sku", sa.String(length=64), server_default="", nullable=False),
        sa.Column("title", sa.String(length=200), server_default="", nullable=False),
        sa.Column("hsn_code", sa.String(length=8), nullable=True),
        sa.Column("value_minor", BigInt, server_default="0", nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_shipment_items_quantity")),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_lines.id"], name=op.f("fk_shipment_items_order_line_id_order_lines")
        ),
        sa.ForeignKeyConstraint(
            ["shipment_id"], ["shipments.id"], name=op.f("fk_shipment_items_shipment_id_shipments")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shipment_items")),
        sa.UniqueConstraint("shipment_id", "order_line_id", name=op.f("uq_shipment_items_shipment_id_order_line_id")),
    )
    with op.batch_alter_table("shipment_items") as batch_op:
        batch_op.create_index(batch_op.f("ix_shipment_items_order_line_id"), ["order_line_id"], unique=False)

    with op.batch_alter_table("shipments") as batch_op:
        batch_op.add_column(sa.Column("customer_id", BigInt, nullable=True))
        batch_op.add_column(
            sa.Column(
                "kind",
                sa.Enum(
                    "forward", "return", name="shipment_kind", native_enum=False, create_constraint=True, length=32
                ),
                server_default="forward",
                nullable=False,
            )
        )
        batch_op.add_column(sa.Column("return_of_id", BigInt, nullable=True))
        batch_op.add_column(sa.Column("problem", sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column("halted_reason", sa.String(length=300), nullable=True))
        batch_op.add_column(sa.Column("attempt", sa.Integer(), server_default="1", nullable=False))
        batch_op.add_column(sa.Column("reference", sa.String(length=50), nullable=True))
        batch_op.add_column(sa.Column("carrier_order_id", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("carrier_shipment_id", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("courier_id", BigInt, nullable=True))
        batch_op.add_column(sa.Column("courier_name", sa.String(length=80), nullable=True))
        batch_op.add_column(sa.Column("zone", sa.String(length=20), nullable=True))
        batch_op.add_column(sa.Column("postal_code", sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column("ship_to", JsonType, server_default="{}", nullable=False))
        batch_op.add_column(sa.Column("currency", sa.String(length=3), nullable=True))
        batch_op.add_column(sa.Column("declared_minor", BigInt, server_default="0", nullable=False))
        batch_op.add_column(sa.Column("cod_minor", BigInt, server_default="0", nullable=False))
        batch_op.add_column(sa.Column("length_mm", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("width_mm", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("height_mm", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("volumetric_grams", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("chargeable_grams", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("charged_grams", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("quoted_minor", BigInt, nullable=True))
        batch_op.add_column(sa.Column("predicted_cost_minor", BigInt, nullable=True))
        batch_op.add_column(sa.Column("pickup_date", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("pickup_token", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("label_url", sa.String(length=500), nullable=True))
        batch_op.add_column(sa.Column("manifest_url", sa.String(length=500), nullable=True))
        batch_op.add_column(sa.Column("tracking_url", sa.String(length=500), nullable=True))
        batch_op.add_column(sa.Column("expected_delivery_at", UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column("awb_assigned_at", UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column("pickup_scheduled_at", UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column("label_printed_at", UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column("manifested_at", UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column("in_transit_at", UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column("out_for_delivery_at", UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column("undelivered_at", UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column("rto_initiated_at", UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column("rto_in_transit_at", UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column("rto_delivered_at", UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column("cancel_requested_at", UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column("cancelled_at", UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column("lost_at", UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column("damaged_at", UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column("polled_at", UtcDateTime(), nullable=True))
        batch_op.create_index(batch_op.f("ix_shipments_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index("ix_shipments_postal_code_status", ["postal_code", "status"], unique=False)
        batch_op.create_index("ix_shipments_status_polled_at", ["status", "polled_at"], unique=False)
        batch_op.create_unique_constraint(batch_op.f("uq_shipments_carrier_order_id"), ["carrier_order_id"])
        batch_op.create_unique_constraint(batch_op.f("uq_shipments_carrier_shipment_id"), ["carrier_shipment_id"])
        batch_op.create_unique_constraint(batch_op.f("uq_shipments_reference"), ["reference"])
        batch_op.create_foreign_key(
            batch_op.f("fk_shipments_return_of_id_shipments"), "shipments", ["return_of_id"], ["id"]
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_shipments_customer_id_customers"), "customers", ["customer_id"], ["id"]
        )
        batch_op.create_check_constraint(batch_op.f("ck_shipments_amounts"), "cod_minor >= 0 AND declared_minor >= 0")


def downgrade() -> None:
    """Revert."""
    with op.batch_alter_table("shipments") as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_shipments_amounts"), type_="check")
        batch_op.drop_constraint(op.f("ck_shipments_shipment_kind"), type_="check")
        batch_op.drop_constraint(batch_op.f("fk_shipments_customer_id_customers"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_shipments_return_of_id_shipments"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("uq_shipments_reference"), type_="unique")
        batch_op.drop_constraint(batch_op.f("uq_shipments_carrier_shipment_id"), type_="unique")
        batch_op.drop_constraint(batch_op.f("uq_shipments_carrier_order_id"), type_="unique")
        batch_op.drop_index("ix_shipments_status_polled_at")
        batch_op.drop_index("ix_shipments_postal_code_status")
        batch_op.drop_index(batch_op.f("ix_shipments_customer_id"))
        batch_op.drop_column("polled_at")
        batch_op.drop_column("damaged_at")
        batch_op.drop_column("lost_at")
        batch_op.drop_column("cancelled_at")
        batch_op.drop_column("cancel_requested_at")
        batch_op.drop_column("rto_delivered_at")
        batch_op.drop_column("rto_in_transit_at")
        batch_op.drop_column("rto_initiated_at")
        batch_op.drop_column("undelivered_at")
        batch_op.drop_column("out_for_delivery_at")
        batch_op.drop_column("in_transit_at")
        batch_op.drop_column("manifested_at")
        batch_op.drop_column("label_printed_at")
        batch_op.drop_column("pickup_scheduled_at")
        batch_op.drop_column("awb_assigned_at")
        batch_op.drop_column("expected_delivery_at")
        batch_op.drop_column("tracking_url")
        batch_op.drop_column("manifest_url")
        batch_op.drop_column("label_url")
        batch_op.drop_column("pickup_token")
        batch_op.drop_column("pickup_date")
        batch_op.drop_column("predicted_cost_minor")
        batch_op.drop_column("quoted_minor")
        batch_op.drop_column("charged_grams")
        batch_op.drop_column("chargeable_grams")
        batch_op.drop_column("volumetric_grams")
        batch_op.drop_column("height_mm")
        batch_op.drop_column("width_mm")
        batch_op.drop_column("length_mm")
        batch_op.drop_column("cod_minor")
        batch_op.drop_column("declared_minor")
        batch_op.drop_column("currency")
        batch_op.drop_column("ship_to")
        batch_op.drop_column("postal_code")
        batch_op.drop_column("zone")
        batch_op.drop_column("courier_name")
        batch_op.drop_column("courier_id")
        batch_op.drop_column("carrier_shipment_id")
        batch_op.drop_column("carrier_order_id")
        batch_op.drop_column("reference")
        batch_op.drop_column("attempt")
        batch_op.drop_column("halted_reason")
        batch_op.drop_column("problem")
        batch_op.drop_column("return_of_id")
        batch_op.drop_column("kind")
        batch_op.drop_column("customer_id")

    with op.batch_alter_table("shipment_items") as batch_op:
        batch_op.drop_index(batch_op.f("ix_shipment_items_order_line_id"))

    op.drop_table("shipment_items")
    op.drop_table("shipment_events")
    op.drop_table("courier_choices")
    with op.batch_alter_table("carrier_calls") as batch_op:
        batch_op.drop_index(batch_op.f("ix_carrier_calls_shipment_id"))

    op.drop_table("carrier_calls")
    with op.batch_alter_table("tracking_inbox") as batch_op:
        batch_op.drop_index("ix_tracking_inbox_state_received_at")

    op.drop_table("tracking_inbox")
    op.drop_table("shipping_zones")
    op.drop_table("shipping_rates")
    op.drop_table("courier_rules")
    op.drop_table("carrier_tokens")
