"""Promotions become versions of rules: codes in batches, several codes a cart, limits per person over all their keys."""

import unicodedata
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from transactional.core.types import BigInt, JsonType, UtcDateTime

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_CODE_USES = "used >= 0 AND (usage_limit IS NULL OR used <= usage_limit{overdraft})"
_DOTLESS_PROVIDERS = {"gmail.com", "googlemail.com"}
_CHUNK = 10_000

_PROMOTIONS = sa.table(
    "promotions",
    *map(sa.column, ("id", "version", "kind", "discount_class", "percent_bp", "max_discount_minor")),
    *map(sa.column, ("min_spend_minor", "priority")),
    sa.column("starts_at", UtcDateTime()),
)
_VERSIONS = sa.table(
    "promotion_versions",
    *map(sa.column, ("promotion_id", "version", "actor")),
    sa.column("rule", JsonType),
    sa.column("valid_from", UtcDateTime()),
)
_ORDERS = sa.table("orders", *map(sa.column, ("id", "email", "identity_key")))

# A live use by one's e-mail keeps its number; by the customer's id it gets one, for an e-mail may have changed.
_KEYS = """
INSERT INTO coupon_redemption_keys (redemption_id, scope, identity_key, slot)
SELECT id, 'code:' || code_id, identity_key, slot FROM coupon_redemptions
UNION ALL
SELECT id, 'code:' || code_id, 'customer:' || customer_id,
    CASE WHEN slot IS NOT NULL THEN ROW_NUMBER() OVER (
        PARTITION BY code_id, customer_id, slot IS NULL ORDER BY id
    ) END
FROM coupon_redemptions WHERE customer_id IS NOT NULL AND identity_key <> 'customer:' || customer_id
"""

_CART_COUPONS = """
INSERT INTO cart_coupons (cart_id, code, applied_at)
SELECT id, coupon_code, updated_at FROM carts WHERE coupon_code IS NOT NULL
"""


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "customer_groups",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("description", sa.String(length=300), nullable=True),
        sa.Column(
            "source",
            sa.Enum("manual", "warehouse", name="group_source", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_groups")),
        sa.UniqueConstraint("name", name=op.f("uq_customer_groups_name")),
    )
    op.create_table(
        "promotion_stamps",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("token", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promotion_stamps")),
    )
    op.create_table(
        "coupon_batches",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("promotion_id", BigInt, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_coupon_batches_quantity")),
        sa.ForeignKeyConstraint(
            ["promotion_id"], ["promotions.id"], name=op.f("fk_coupon_batches_promotion_id_promotions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coupon_batches")),
    )
    with op.batch_alter_table("coupon_batches") as batch_op:
        batch_op.create_index(batch_op.f("ix_coupon_batches_promotion_id"), ["promotion_id"], unique=False)

    op.create_table(
        "promotion_versions",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("promotion_id", BigInt, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("rule", JsonType, nullable=False),
        sa.Column("valid_from", UtcDateTime(), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["promotion_id"], ["promotions.id"], name=op.f("fk_promotion_versions_promotion_id_promotions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promotion_versions")),
        sa.UniqueConstraint("promotion_id", "version", name=op.f("uq_promotion_versions_promotion_id_version")),
    )
    op.create_table(
        "customer_group_members",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("group_id", BigInt, nullable=False),
        sa.Column("customer_id", BigInt, nullable=False),
        sa.Column("valid_from", UtcDateTime(), nullable=False),
        sa.Column("valid_to", UtcDateTime(), nullable=True),
        sa.CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name=op.f("ck_customer_group_members_period")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_customer_group_members_customer_id_customers")
        ),
        sa.ForeignKeyConstraint(
            ["group_id"], ["customer_groups.id"], name=op.f("fk_customer_group_members_group_id_customer_groups")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_group_members")),
        sa.UniqueConstraint(
            "group_id",
            "customer_id",
            "valid_from",
            name=op.f("uq_customer_group_members_group_id_customer_id_valid_from"),
        ),
    )
    with op.batch_alter_table("customer_group_members") as batch_op:
        batch_op.create_index(batch_op.f("ix_customer_group_members_customer_id"), ["customer_id"], unique=False)

    op.create_table(
        "cart_coupons",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("cart_id", BigInt, nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("applied_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cart_id"], ["carts.id"], name=op.f("fk_cart_coupons_cart_id_carts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cart_coupons")),
        sa.UniqueConstraint("cart_id", "code", name=op.f("uq_cart_coupons_cart_id_code")),
    )
    op.create_table(
        "price_floors",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("variant_id", BigInt, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("floor_minor", BigInt, nullable=False),
        sa.CheckConstraint("floor_minor > 0", name=op.f("ck_price_floors_floor")),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["product_variants.id"], name=op.f("fk_price_floors_variant_id_product_variants")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_floors")),
        sa.UniqueConstraint("variant_id", "currency", name=op.f("uq_price_floors_variant_id_currency")),
    )
    op.create_table(
        "promotion_exposures",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("promotion_id", BigInt, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("person_hash", sa.String(length=64), nullable=False),
        sa.Column(
            "arm",
            sa.Enum("treated", "held_out", name="arm", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("is_applied", sa.Boolean(), nullable=False),
        sa.Column("order_id", BigInt, nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_promotion_exposures_order_id_orders")),
        sa.ForeignKeyConstraint(
            ["promotion_id"], ["promotions.id"], name=op.f("fk_promotion_exposures_promotion_id_promotions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promotion_exposures")),
        sa.UniqueConstraint("promotion_id", "order_id", name=op.f("uq_promotion_exposures_promotion_id_order_id")),
    )
    with op.batch_alter_table("promotion_exposures") as batch_op:
        batch_op.create_index(batch_op.f("ix_promotion_exposures_order_id"), ["order_id"], unique=False)

    op.create_table(
        "coupon_redemption_keys",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("redemption_id", BigInt, nullable=False),
        sa.Column("scope", sa.String(length=40), nullable=False),
        sa.Column("identity_key", sa.String(length=320), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=True),
        sa.CheckConstraint("slot IS NULL OR slot > 0", name=op.f("ck_coupon_redemption_keys_slot")),
        sa.ForeignKeyConstraint(
            ["redemption_id"],
            ["coupon_redemptions.id"],
            name=op.f("fk_coupon_redemption_keys_redemption_id_coupon_redemptions"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coupon_redemption_keys")),
        sa.UniqueConstraint(
            "scope", "identity_key", "slot", name=op.f("uq_coupon_redemption_keys_scope_identity_key_slot")
        ),
    )
    with op.batch_alter_table("coupon_redemption_keys") as batch_op:
        batch_op.create_index(batch_op.f("ix_coupon_redemption_keys_redemption_id"), ["redemption_id"], unique=False)

    op.create_table(
        "order_discounts",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("order_id", BigInt, nullable=False),
        sa.Column("order_line_id", BigInt, nullable=True),
        sa.Column("promotion_id", BigInt, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("code_id", BigInt, nullable=True),
        sa.Column("discount_class", sa.String(length=16), nullable=False),
        sa.Column("amount_minor", BigInt, nullable=False),
        sa.Column("unit_amounts", JsonType, nullable=True),
        sa.CheckConstraint(
            "(order_line_id IS NULL) = (discount_class = 'shipping')", name=op.f("ck_order_discounts_line")
        ),
        sa.CheckConstraint("amount_minor >= 0", name=op.f("ck_order_discounts_amount")),
        sa.ForeignKeyConstraint(["code_id"], ["coupon_codes.id"], name=op.f("fk_order_discounts_code_id_coupon_codes")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_discounts_order_id_orders")),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_lines.id"], name=op.f("fk_order_discounts_order_line_id_order_lines")
        ),
        sa.ForeignKeyConstraint(
            ["promotion_id"], ["promotions.id"], name=op.f("fk_order_discounts_promotion_id_promotions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_discounts")),
        sa.UniqueConstraint(
            "order_id",
            "promotion_id",
            "order_line_id",
            name=op.f("uq_order_discounts_order_id_promotion_id_order_line_id"),
        ),
    )
    with op.batch_alter_table("order_discounts") as batch_op:
        batch_op.create_index(batch_op.f("ix_order_discounts_order_line_id"), ["order_line_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_order_discounts_promotion_id"), ["promotion_id"], unique=False)

    with op.batch_alter_table("coupon_codes") as batch_op:
        batch_op.add_column(sa.Column("batch_id", BigInt, nullable=True))
        batch_op.add_column(sa.Column("overdraft_limit", sa.Integer(), server_default=sa.text("0"), nullable=False))
        batch_op.create_index(batch_op.f("ix_coupon_codes_batch_id"), ["batch_id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_coupon_codes_batch_id_coupon_batches"), "coupon_batches", ["batch_id"], ["id"]
        )

    with op.batch_alter_table("coupon_codes") as batch_op:
        batch_op.drop_constraint(op.f("ck_coupon_codes_uses"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_coupon_codes_uses"), _CODE_USES.format(overdraft=" + overdraft_limit")
        )
        batch_op.create_check_constraint(op.f("ck_coupon_codes_overdraft"), "overdraft_limit >= 0")

    with op.batch_alter_table("coupon_redemptions") as batch_op:
        batch_op.add_column(sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False))
        batch_op.add_column(sa.Column("is_overdrawn", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column("expires_at", UtcDateTime(), nullable=True))
        batch_op.alter_column("code_id", existing_type=BigInt, nullable=True)
        batch_op.drop_constraint(batch_op.f("uq_coupon_redemptions_code_id_order_id"), type_="unique")
        batch_op.drop_index(batch_op.f("uq_coupon_redemptions_slot"))
        batch_op.create_index("ix_coupon_redemptions_code_id", ["code_id"], unique=False)
        batch_op.create_unique_constraint(
            batch_op.f("uq_coupon_redemptions_promotion_id_order_id"), ["promotion_id", "order_id"]
        )

    with op.batch_alter_table("orders") as batch_op:
        batch_op.add_column(sa.Column("identity_key", sa.String(length=320), nullable=True))
        batch_op.add_column(sa.Column("phone", sa.String(length=20), nullable=True))
        batch_op.create_index("ix_orders_identity_key", ["identity_key"], unique=False)
        batch_op.create_index("ix_orders_phone", ["phone"], unique=False)

    with op.batch_alter_table("promotions") as batch_op:
        batch_op.add_column(sa.Column("is_automatic", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column("usage_limit", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("per_customer_limit", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("used", sa.Integer(), server_default=sa.text("0"), nullable=False))
        batch_op.add_column(sa.Column("frees_on_full_refund", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column("holdout_bp", sa.Integer(), server_default=sa.text("0"), nullable=False))
        batch_op.create_index("ix_promotions_is_automatic_status", ["is_automatic", "status"], unique=False)
        batch_op.create_check_constraint(op.f("ck_promotions_holdout"), "holdout_bp BETWEEN 0 AND 9999")
        batch_op.create_check_constraint(op.f("ck_promotions_uses"), _CODE_USES.format(overdraft=""))

    _first_versions()
    op.execute(_KEYS)
    op.execute(_CART_COUPONS)
    _identify_orders()


def _first_versions() -> None:
    """Each promotion of today is a percentage off the order; it becomes version one of a rule."""
    connection = op.get_bind()
    rows = connection.execute(sa.select(_PROMOTIONS).order_by(_PROMOTIONS.c.id)).all()
    versions = [
        {
            "promotion_id": row.id,
            "version": row.version,
            "actor": "migration",
            "rule": _rule(row),
            "valid_from": row.starts_at,
        }
        for row in rows
    ]
    if versions:
        connection.execute(sa.insert(_VERSIONS), versions)
    op.execute("INSERT INTO promotion_stamps (id, token) VALUES (1, 'first')")


def _rule(row: sa.Row[Any]) -> dict[str, Any]:
    args = {"bp": row.percent_bp}
    if row.max_discount_minor is not None:
        args["cap_minor"] = row.max_discount_minor
    minimum = [{"kind": "min_spend", "args": {"amount_minor": row.min_spend_minor}}] if row.min_spend_minor else []
    return {
        "kind": row.kind,
        "args": args,
        "conditions": minimum,
        "discount_class": row.discount_class,
        "priority": row.priority,
    }


def _identify_orders() -> None:
    """Whose mailbox each order belongs to: the +tag dropped, and the dots where the provider ignores them."""
    connection = op.get_bind()
    after = 0
    while True:
        known = sa.select(_ORDERS.c.id, _ORDERS.c.email).where(_ORDERS.c.id > after, _ORDERS.c.email.is_not(None))
        rows = connection.execute(known.order_by(_ORDERS.c.id).limit(_CHUNK)).all()
        if not rows:
            return
        after = rows[-1].id
        connection.execute(
            sa.update(_ORDERS).where(_ORDERS.c.id == sa.bindparam("of")).values(identity_key=sa.bindparam("key")),
            [{"of": row.id, "key": _mailbox(row.email)} for row in rows],
        )


def _mailbox(email: str) -> str:
    local, _, domain = unicodedata.normalize("NFKC", email).strip().lower().rpartition("@")
    local = local.partition("+")[0] or local
    if domain in _DOTLESS_PROVIDERS:
        return f"{local.replace('.', '')}@gmail.com"
    return f"{local}@{domain}"


def downgrade() -> None:
    """Revert. Uses without a code cannot be kept, nor those beyond a code's limit counted."""
    op.execute(
        "DELETE FROM coupon_redemption_keys WHERE redemption_id IN"
        " (SELECT id FROM coupon_redemptions WHERE code_id IS NULL)"
    )
    op.execute("DELETE FROM coupon_redemptions WHERE code_id IS NULL")
    op.execute("UPDATE coupon_codes SET used = usage_limit WHERE used > usage_limit")
    with op.batch_alter_table("promotions") as batch_op:
        batch_op.drop_constraint(op.f("ck_promotions_uses"), type_="check")
        batch_op.drop_constraint(op.f("ck_promotions_holdout"), type_="check")
        batch_op.drop_index("ix_promotions_is_automatic_status")
        batch_op.drop_column("holdout_bp")
        batch_op.drop_column("frees_on_full_refund")
        batch_op.drop_column("used")
        batch_op.drop_column("per_customer_limit")
        batch_op.drop_column("usage_limit")
        batch_op.drop_column("is_automatic")

    with op.batch_alter_table("orders") as batch_op:
        batch_op.drop_index("ix_orders_phone")
        batch_op.drop_index("ix_orders_identity_key")
        batch_op.drop_column("phone")
        batch_op.drop_column("identity_key")

    with op.batch_alter_table("coupon_redemptions") as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_coupon_redemptions_promotion_id_order_id"), type_="unique")
        batch_op.drop_index("ix_coupon_redemptions_code_id")
        batch_op.create_index(
            batch_op.f("uq_coupon_redemptions_slot"), ["code_id", "identity_key", "slot"], unique=True
        )
        batch_op.create_unique_constraint(batch_op.f("uq_coupon_redemptions_code_id_order_id"), ["code_id", "order_id"])
        batch_op.alter_column("code_id", existing_type=BigInt, nullable=False)
        batch_op.drop_column("expires_at")
        batch_op.drop_column("is_overdrawn")
        batch_op.drop_column("version")

    with op.batch_alter_table("coupon_codes") as batch_op:
        batch_op.drop_constraint(op.f("ck_coupon_codes_overdraft"), type_="check")
        batch_op.drop_constraint(op.f("ck_coupon_codes_uses"), type_="check")
        batch_op.create_check_constraint(op.f("ck_coupon_codes_uses"), _CODE_USES.format(overdraft=""))
        batch_op.drop_constraint(batch_op.f("fk_coupon_codes_batch_id_coupon_batches"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_coupon_codes_batch_id"))
        batch_op.drop_column("overdraft_limit")
        batch_op.drop_column("batch_id")

    with op.batch_alter_table("order_discounts") as batch_op:
        batch_op.drop_index(batch_op.f("ix_order_discounts_promotion_id"))
        batch_op.drop_index(batch_op.f("ix_order_discounts_order_line_id"))

    op.drop_table("order_discounts")
    with op.batch_alter_table("coupon_redemption_keys") as batch_op:
        batch_op.drop_index(batch_op.f("ix_coupon_redemption_keys_redemption_id"))

    op.drop_table("coupon_redemption_keys")
    with op.batch_alter_table("promotion_exposures") as batch_op:
        batch_op.drop_index(batch_op.f("ix_promotion_exposures_order_id"))

    op.drop_table("promotion_exposures")
    op.drop_table("price_floors")
    op.drop_table("cart_coupons")
    with op.batch_alter_table("customer_group_members") as batch_op:
        batch_op.drop_index(batch_op.f("ix_customer_group_members_customer_id"))

    op.drop_table("customer_group_members")
    op.drop_table("promotion_versions")
    with op.batch_alter_table("coupon_batches") as batch_op:
        batch_op.drop_index(batch_op.f("ix_coupon_batches_promotion_id"))

    op.drop_table("coupon_batches")
    op.drop_table("promotion_stamps")
    op.drop_table("customer_groups")
