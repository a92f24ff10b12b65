"""the shop's ground floor"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from transactional.core.types import BigInt, JsonType, UtcDateTime

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "categories",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("parent_id", BigInt, nullable=True),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["parent_id"], ["categories.id"], name=op.f("fk_categories_parent_id_categories")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_categories")),
        sa.UniqueConstraint("slug", name=op.f("uq_categories_slug")),
    )
    op.create_table(
        "counters",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("series", sa.String(length=40), nullable=False),
        sa.Column("value", BigInt, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_counters")),
        sa.UniqueConstraint("series", name=op.f("uq_counters_series")),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("route", sa.String(length=200), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("status_code", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idempotency_keys")),
        sa.UniqueConstraint("subject", "key", name=op.f("uq_idempotency_keys_subject_key")),
    )
    with op.batch_alter_table("idempotency_keys") as batch_op:
        batch_op.create_index(batch_op.f("ix_idempotency_keys_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "import_runs",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("file_name", sa.String(length=255), nullable=False),
        sa.Column("file_sha256", sa.String(length=64), nullable=False),
        sa.Column("report", JsonType, nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_runs")),
    )
    op.create_table(
        "journal",
        sa.Column("seq", BigInt, autoincrement=True, nullable=False),
        sa.Column("txid", sa.BigInteger(), nullable=False, info={"transaction_id": True}),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=True),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("table_name", sa.String(length=63), nullable=False),
        sa.Column("row_id", BigInt, nullable=False),
        sa.Column("operation", sa.String(length=1), nullable=False),
        sa.Column("changes", JsonType, nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_journal")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("journal") as batch_op:
        batch_op.create_index("ix_journal_table_name_row_id", ["table_name", "row_id"], unique=False)
        batch_op.create_index("ix_journal_txid", ["txid"], unique=False)

    op.create_table(
        "journal_context",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=True),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("occurred_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal_context")),
    )
    op.create_table(
        "locations",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_locations")),
        sa.UniqueConstraint("code", name=op.f("uq_locations_code")),
    )
    op.create_table(
        "loyalty_programmes",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("earn_per_unit_minor", BigInt, nullable=False),
        sa.Column("value_per_point_minor", BigInt, nullable=False),
        sa.Column("min_redeem_points", sa.Integer(), nullable=False),
        sa.Column("max_share_bp", sa.Integer(), nullable=False),
        sa.Column("activation_days", sa.Integer(), nullable=False),
        sa.Column("expiry_days", sa.Integer(), nullable=False),
        sa.Column("restore_grace_days", sa.Integer(), nullable=False),
        sa.Column("valid_from", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "earn_per_unit_minor > 0 AND value_per_point_minor > 0", name=op.f("ck_loyalty_programmes_rates")
        ),
        sa.CheckConstraint("max_share_bp BETWEEN 0 AND 10000", name=op.f("ck_loyalty_programmes_share")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_loyalty_programmes")),
        sa.UniqueConstraint("version", name=op.f("uq_loyalty_programmes_version")),
    )
    op.create_table(
        "occasions",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_occasions")),
        sa.UniqueConstraint("key", name=op.f("uq_occasions_key")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("topic", sa.String(length=64), nullable=False),
        sa.Column("payload", JsonType, nullable=False),
        sa.Column("dedup_key", sa.String(length=160), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "pending", "done", "failed", name="outbox_state", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("claimed_until", UtcDateTime(), nullable=True),
        sa.Column("last_error", sa.String(length=500), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("dedup_key", name=op.f("uq_outbox_dedup_key")),
    )
    with op.batch_alter_table("outbox") as batch_op:
        batch_op.create_index("ix_outbox_state_due_at", ["state", "due_at"], unique=False)

    op.create_table(
        "promotions",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("discount_class", sa.String(length=16), nullable=False),
        sa.Column("percent_bp", sa.Integer(), nullable=True),
        sa.Column("max_discount_minor", BigInt, nullable=True),
        sa.Column("min_spend_minor", BigInt, nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "draft",
                "scheduled",
                "active",
                "paused",
                "ended",
                name="promotion_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("ends_at IS NULL OR ends_at > starts_at", name=op.f("ck_promotions_period")),
        sa.CheckConstraint("percent_bp IS NULL OR percent_bp BETWEEN 1 AND 10000", name=op.f("ck_promotions_percent")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promotions")),
    )
    op.create_table(
        "roles",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roles")),
        sa.UniqueConstraint("key", name=op.f("uq_roles_key")),
    )
    op.create_table(
        "shop_profile",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("base_currency", sa.String(length=3), nullable=False),
        sa.Column("time_zone", sa.String(length=40), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_shop_profile_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shop_profile")),
    )
    op.create_table(
        "users",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("email_key", sa.String(length=320), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("full_name", sa.String(length=200), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("email_verified_at", UtcDateTime(), nullable=True),
        sa.Column("session_epoch", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email_key", name=op.f("uq_users_email_key")),
        sa.UniqueConstraint("public_id", name=op.f("uq_users_public_id")),
    )
    op.create_table(
        "webhook_inbox",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("event_id", sa.String(length=80), nullable=False),
        sa.Column("event_type", sa.String(length=64), nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "received",
                "processed",
                "ignored",
                "quarantined",
                name="inbox_state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("note", sa.String(length=300), nullable=True),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("processed_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_inbox")),
        sa.UniqueConstraint("source", "event_id", name=op.f("uq_webhook_inbox_source_event_id")),
    )
    with op.batch_alter_table("webhook_inbox") as batch_op:
        batch_op.create_index("ix_webhook_inbox_state", ["state", "received_at"], unique=False)

    op.create_table(
        "coupon_codes",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("promotion_id", BigInt, nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("usage_limit", sa.Integer(), nullable=True),
        sa.Column("per_customer_limit", sa.Integer(), nullable=True),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("frees_on_full_refund", sa.Boolean(), nullable=False),
        sa.CheckConstraint("code = upper(code)", name=op.f("ck_coupon_codes_upper")),
        sa.CheckConstraint(
            "used >= 0 AND (usage_limit IS NULL OR used <= usage_limit)", name=op.f("ck_coupon_codes_uses")
        ),
        sa.ForeignKeyConstraint(
            ["promotion_id"], ["promotions.id"], name=op.f("fk_coupon_codes_promotion_id_promotions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coupon_codes")),
        sa.UniqueConstraint("code", name=op.f("uq_coupon_codes_code")),
    )
    with op.batch_alter_table("coupon_codes") as batch_op:
        batch_op.create_index(batch_op.f("ix_coupon_codes_promotion_id"), ["promotion_id"], unique=False)

    op.create_table(
        "customers",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("user_id", BigInt, nullable=True),
        sa.Column("email", sa.String(length=320), nullable=True),
        sa.Column("email_key", sa.String(length=320), nullable=True),
        sa.Column("full_name", sa.String(length=200), nullable=True),
        sa.Column("phone", sa.String(length=20), nullable=True),
        sa.Column("country", sa.String(length=64), nullable=True),
        sa.Column("city", sa.String(length=120), nullable=True),
        sa.Column("birthday", sa.Date(), nullable=True),
        sa.Column("acquisition_channel", sa.String(length=32), nullable=False),
        sa.Column("marketing_consent", sa.Boolean(), nullable=False),
        sa.Column("is_guest", sa.Boolean(), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("external_ref", sa.String(length=64), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_customers_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customers")),
        sa.UniqueConstraint("user_id", name=op.f("uq_customers_user_id")),
    )
    with op.batch_alter_table("customers") as batch_op:
        batch_op.create_index(
            "ix_customers_email_key_guest",
            ["email_key"],
            unique=True,
            sqlite_where=sa.text("is_guest"),
            postgresql_where=sa.text("is_guest"),
        )
        batch_op.create_index("ix_customers_external_ref", ["source", "external_ref"], unique=True)

    op.create_table(
        "import_quarantine",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("run_id", BigInt, nullable=False),
        sa.Column("row_number", BigInt, nullable=False),
        sa.Column("row_class", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("amount_minor", BigInt, nullable=True),
        sa.Column("raw", JsonType, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["import_runs.id"], name=op.f("fk_import_quarantine_run_id_import_runs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_quarantine")),
    )
    with op.batch_alter_table("import_quarantine") as batch_op:
        batch_op.create_index("ix_import_quarantine_run_id", ["run_id"], unique=False)

    op.create_table(
        "imported_invoices",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("run_id", BigInt, nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("invoice", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["import_runs.id"], name=op.f("fk_imported_invoices_run_id_import_runs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imported_invoices")),
    )
    with op.batch_alter_table("imported_invoices") as batch_op:
        batch_op.create_index("uq_imported_invoices", ["source", "invoice"], unique=True)

    op.create_table(
        "products",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("slug", sa.String(length=160), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("category_id", BigInt, nullable=False),
        sa.Column(
            "gift_tier",
            sa.Enum("budget", "premium", name="gift_tier", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("gift_tier_source", sa.String(length=16), nullable=False),
        sa.Column("hsn_code", sa.String(length=8), nullable=True),
        sa.Column("tax_rate_bp", sa.Integer(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("is_customisable", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("tax_rate_bp BETWEEN 0 AND 10000", name=op.f("ck_products_tax_rate")),
        sa.ForeignKeyConstraint(["category_id"], ["categories.id"], name=op.f("fk_products_category_id_categories")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_products")),
        sa.UniqueConstraint("slug", name=op.f("uq_products_slug")),
    )
    with op.batch_alter_table("products") as batch_op:
        batch_op.create_index("ix_products_category_id_id", ["category_id", "id"], unique=False)

    op.create_table(
        "refresh_tokens",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("user_id", BigInt, nullable=False),
        sa.Column("family_id", sa.String(length=40), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_agent", sa.String(length=200), nullable=True),
        sa.Column("issued_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("rotated_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("expires_at > issued_at", name=op.f("ck_refresh_tokens_lifetime")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_refresh_tokens_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refresh_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_refresh_tokens_token_hash")),
    )
    with op.batch_alter_table("refresh_tokens") as batch_op:
        batch_op.create_index(batch_op.f("ix_refresh_tokens_family_id"), ["family_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_refresh_tokens_user_id"), ["user_id"], unique=False)

    op.create_table(
        "role_permissions",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("role_id", BigInt, nullable=False),
        sa.Column("permission", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["role_id"], ["roles.id"], name=op.f("fk_role_permissions_role_id_roles"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role_permissions")),
        sa.UniqueConstraint("role_id", "permission", name=op.f("uq_role_permissions_role_id_permission")),
    )
    op.create_table(
        "user_roles",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("user_id", BigInt, nullable=False),
        sa.Column("role_id", BigInt, nullable=False),
        sa.Column("granted_by", sa.String(length=64), nullable=False),
        sa.Column("granted_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["role_id"], ["roles.id"], name=op.f("fk_user_roles_role_id_roles")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_user_roles_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_roles")),
        sa.UniqueConstraint("user_id", "role_id", name=op.f("uq_user_roles_user_id_role_id")),
    )
    op.create_table(
        "addresses",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("customer_id", BigInt, nullable=False),
        sa.Column("recipient", sa.String(length=200), nullable=False),
        sa.Column("phone", sa.String(length=20), nullable=True),
        sa.Column("line1", sa.String(length=200), nullable=False),
        sa.Column("line2", sa.String(length=200), nullable=True),
        sa.Column("city", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(length=120), nullable=True),
        sa.Column("postal_code", sa.String(length=16), nullable=False),
        sa.Column("country", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_addresses_customer_id_customers")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_addresses")),
    )
    with op.batch_alter_table("addresses") as batch_op:
        batch_op.create_index(batch_op.f("ix_addresses_customer_id"), ["customer_id"], unique=False)

    op.create_table(
        "behaviour_events",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("txid", sa.BigInteger(), nullable=False, info={"transaction_id": True}),
        sa.Column("event_id", sa.String(length=64), nullable=False),
        sa.Column("anonymous_id", sa.String(length=64), nullable=False),
        sa.Column("customer_id", BigInt, nullable=True),
        sa.Column("session_id", sa.String(length=64), nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("product_id", BigInt, nullable=True),
        sa.Column("properties", JsonType, nullable=False),
        sa.Column("is_bot", sa.Boolean(), nullable=False),
        sa.Column("consent_version", sa.String(length=16), nullable=True),
        sa.Column("client_time", UtcDateTime(), nullable=True),
        sa.Column("server_time", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_behaviour_events_customer_id_customers")
        ),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_behaviour_events_product_id_products")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_behaviour_events")),
        sa.UniqueConstraint("event_id", name=op.f("uq_behaviour_events_event_id")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("behaviour_events") as batch_op:
        batch_op.create_index("ix_behaviour_events_anonymous_id_id", ["anonymous_id", "id"], unique=False)
        batch_op.create_index("ix_behaviour_events_customer_id_id", ["customer_id", "id"], unique=False)
        batch_op.create_index("ix_behaviour_events_txid", ["txid"], unique=False)

    op.create_table(
        "carts",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("customer_id", BigInt, nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "open", "ordered", "abandoned", name="cart_status", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("coupon_code", sa.String(length=40), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_carts_customer_id_customers")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carts")),
        sa.UniqueConstraint("public_id", name=op.f("uq_carts_public_id")),
    )
    with op.batch_alter_table("carts") as batch_op:
        batch_op.create_index(batch_op.f("ix_carts_customer_id"), ["customer_id"], unique=False)

    op.create_table(
        "point_balances",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("customer_id", BigInt, nullable=False),
        sa.Column("active", BigInt, nullable=False),
        sa.Column("pending", BigInt, nullable=False),
        sa.Column("held", BigInt, nullable=False),
        sa.Column("owed", BigInt, nullable=False),
        sa.CheckConstraint(
            "active >= 0 AND pending >= 0 AND held >= 0 AND owed >= 0", name=op.f("ck_point_balances_signs")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_point_balances_customer_id_customers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_point_balances")),
        sa.UniqueConstraint("customer_id", name=op.f("uq_point_balances_customer_id")),
    )
    op.create_table(
        "product_occasions",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("product_id", BigInt, nullable=False),
        sa.Column("occasion_id", BigInt, nullable=False),
        sa.ForeignKeyConstraint(
            ["occasion_id"], ["occasions.id"], name=op.f("fk_product_occasions_occasion_id_occasions")
        ),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_product_occasions_product_id_products")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_occasions")),
        sa.UniqueConstraint("product_id", "occasion_id", name=op.f("uq_product_occasions_product_id_occasion_id")),
    )
    op.create_table(
        "product_variants",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("product_id", BigInt, nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("weight_grams", sa.Integer(), nullable=False),
        sa.Column(
            "inventory_policy",
            sa.Enum(
                "deny",
                "backorder",
                "untracked",
                name="inventory_policy",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.CheckConstraint("weight_grams >= 0", name=op.f("ck_product_variants_weight")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_product_variants_product_id_products")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_variants")),
        sa.UniqueConstraint("sku", name=op.f("uq_product_variants_sku")),
    )
    with op.batch_alter_table("product_variants") as batch_op:
        batch_op.create_index(batch_op.f("ix_product_variants_product_id"), ["product_id"], unique=False)

    op.create_table(
        "visitor_identities",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("anonymous_id", sa.String(length=64), nullable=False),
        sa.Column("customer_id", BigInt, nullable=False),
        sa.Column("merged_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_visitor_identities_customer_id_customers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visitor_identities")),
        sa.UniqueConstraint("anonymous_id", name=op.f("uq_visitor_identities_anonymous_id")),
    )
    with op.batch_alter_table("visitor_identities") as batch_op:
        batch_op.create_index(batch_op.f("ix_visitor_identities_customer_id"), ["customer_id"], unique=False)

    op.create_table(
        "cart_lines",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("cart_id", BigInt, nullable=False),
        sa.Column("variant_id", BigInt, nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("line_key", sa.String(length=64), nullable=False),
        sa.Column("customisation", JsonType, nullable=False),
        sa.Column("quoted_unit_minor", BigInt, nullable=False),
        sa.Column("quoted_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_cart_lines_quantity")),
        sa.ForeignKeyConstraint(
            ["cart_id"], ["carts.id"], name=op.f("fk_cart_lines_cart_id_carts"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["product_variants.id"], name=op.f("fk_cart_lines_variant_id_product_variants")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cart_lines")),
        sa.UniqueConstraint("cart_id", "line_key", name=op.f("uq_cart_lines_cart_id_line_key")),
    )
    op.create_table(
        "orders",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("order_number", sa.String(length=32), nullable=False),
        sa.Column("customer_id", BigInt, nullable=True),
        sa.Column("cart_id", BigInt, nullable=True),
        sa.Column("email", sa.String(length=320), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "draft",
                "awaiting_approval",
                "awaiting_payment",
                "paid",
                "packed",
                "partially_shipped",
                "shipped",
                "partially_delivered",
                "delivered",
                "cancelled",
                "expired",
                "modifying",
                "awaiting_extra_payment",
                name="order_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "payment_mode",
            sa.Enum(
                "online",
                "on_delivery",
                "external",
                name="payment_mode",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("is_test", sa.Boolean(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("gross_minor", BigInt, nullable=False),
        sa.Column("discount_minor", BigInt, nullable=False),
        sa.Column("points_redeemed", BigInt, nullable=False),
        sa.Column("points_discount_minor", BigInt, nullable=False),
        sa.Column("shipping_minor", BigInt, nullable=False),
        sa.Column("wrap_minor", BigInt, nullable=False),
        sa.Column("tax_minor", BigInt, nullable=False),
        sa.Column("tax_included", sa.Boolean(), nullable=False),
        sa.Column("total_minor", BigInt, nullable=False),
        sa.Column("original_currency", sa.String(length=3), nullable=True),
        sa.Column("original_total_minor", BigInt, nullable=True),
        sa.Column("coupon_code", sa.String(length=40), nullable=True),
        sa.Column("price_trace", JsonType, nullable=False),
        sa.Column("ship_to", JsonType, nullable=False),
        sa.Column("ship_country", sa.String(length=64), nullable=True),
        sa.Column("ship_city", sa.String(length=120), nullable=True),
        sa.Column("occasion", sa.String(length=40), nullable=True),
        sa.Column("gift_message", sa.String(length=500), nullable=True),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("external_ref", sa.String(length=64), nullable=True),
        sa.Column("placed_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("paid_at", UtcDateTime(), nullable=True),
        sa.Column("delivered_at", UtcDateTime(), nullable=True),
        sa.Column("cancelled_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("discount_minor >= 0 AND points_discount_minor >= 0", name=op.f("ck_orders_discounts")),
        sa.CheckConstraint(
            "total_minor = gross_minor - discount_minor - points_discount_minor + shipping_minor + wrap_minor + CASE WHEN tax_included THEN 0 ELSE tax_minor END",
            name=op.f("ck_orders_total"),
        ),
        sa.ForeignKeyConstraint(["cart_id"], ["carts.id"], name=op.f("fk_orders_cart_id_carts")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_orders_customer_id_customers")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sa.UniqueConstraint("cart_id", name=op.f("uq_orders_cart_id")),
        sa.UniqueConstraint("order_number", name=op.f("uq_orders_order_number")),
        sa.UniqueConstraint("public_id", name=op.f("uq_orders_public_id")),
    )
    with op.batch_alter_table("orders") as batch_op:
        batch_op.create_index("ix_orders_customer_id_id", ["customer_id", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_orders_placed_at"), ["placed_at"], unique=False)
        batch_op.create_index("ix_orders_source_external_ref", ["source", "external_ref"], unique=True)
        batch_op.create_index("ix_orders_status_expires_at", ["status", "expires_at"], unique=False)

    op.create_table(
        "prices",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("variant_id", BigInt, nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_minor", BigInt, nullable=False),
        sa.Column("valid_from", UtcDateTime(), nullable=False),
        sa.Column("valid_to", UtcDateTime(), nullable=True),
        sa.CheckConstraint("amount_minor >= 0", name=op.f("ck_prices_amount")),
        sa.CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name=op.f("ck_prices_period")),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["product_variants.id"], name=op.f("fk_prices_variant_id_product_variants")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prices")),
    )
    with op.batch_alter_table("prices") as batch_op:
        batch_op.create_index(batch_op.f("ix_prices_variant_id"), ["variant_id"], unique=False)
        batch_op.create_index(
            "uq_prices_open",
            ["variant_id", "channel", "currency"],
            unique=True,
            sqlite_where=sa.text("valid_to IS NULL"),
            postgresql_where=sa.text("valid_to IS NULL"),
        )

    op.create_table(
        "stock_levels",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("variant_id", BigInt, nullable=False),
        sa.Column("location_id", BigInt, nullable=False),
        sa.Column("on_hand", BigInt, nullable=False),
        sa.Column("reserved", BigInt, nullable=False),
        sa.Column("threshold", BigInt, nullable=False),
        sa.Column("low_stock_level", BigInt, nullable=False),
        sa.CheckConstraint("reserved >= 0", name=op.f("ck_stock_levels_reserved")),
        sa.ForeignKeyConstraint(["location_id"], ["locations.id"], name=op.f("fk_stock_levels_location_id_locations")),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["product_variants.id"], name=op.f("fk_stock_levels_variant_id_product_variants")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_levels")),
        sa.UniqueConstraint("variant_id", "location_id", name=op.f("uq_stock_levels_variant_id_location_id")),
    )
    op.create_table(
        "coupon_redemptions",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("code_id", BigInt, nullable=False),
        sa.Column("promotion_id", BigInt, nullable=False),
        sa.Column("order_id", BigInt, nullable=False),
        sa.Column("customer_id", BigInt, nullable=True),
        sa.Column("identity_key", sa.String(length=320), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "reserved",
                "redeemed",
                "released",
                name="redemption_state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("discount_minor", BigInt, nullable=False),
        sa.Column("reserved_at", UtcDateTime(), nullable=False),
        sa.Column("redeemed_at", UtcDateTime(), nullable=True),
        sa.Column("released_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["code_id"], ["coupon_codes.id"], name=op.f("fk_coupon_redemptions_code_id_coupon_codes")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_coupon_redemptions_customer_id_customers")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_coupon_redemptions_order_id_orders")),
        sa.ForeignKeyConstraint(
            ["promotion_id"], ["promotions.id"], name=op.f("fk_coupon_redemptions_promotion_id_promotions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coupon_redemptions")),
        sa.UniqueConstraint("code_id", "order_id", name=op.f("uq_coupon_redemptions_code_id_order_id")),
    )
    with op.batch_alter_table("coupon_redemptions") as batch_op:
        batch_op.create_index(batch_op.f("ix_coupon_redemptions_order_id"), ["order_id"], unique=False)
        batch_op.create_index("uq_coupon_redemptions_slot", ["code_id", "identity_key", "slot"], unique=True)

    op.create_table(
        "gateway_orders",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("order_id", BigInt, nullable=False),
        sa.Column("gateway", sa.String(length=16), nullable=False),
        sa.Column("receipt", sa.String(length=40), nullable=False),
        sa.Column("gateway_order_id", sa.String(length=64), nullable=True),
        sa.Column("amount_minor", BigInt, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_gateway_orders_amount")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_gateway_orders_order_id_orders")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gateway_orders")),
        sa.UniqueConstraint("gateway_order_id", name=op.f("uq_gateway_orders_gateway_order_id")),
        sa.UniqueConstraint("receipt", name=op.f("uq_gateway_orders_receipt")),
    )
    with op.batch_alter_table("gateway_orders") as batch_op:
        batch_op.create_index(batch_op.f("ix_gateway_orders_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_gateway_orders_order_id"), ["order_id"], unique=False)

    op.create_table(
        "ledger_transactions",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("business_key", sa.String(length=100), nullable=False),
        sa.Column("order_id", BigInt, nullable=True),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_ledger_transactions_order_id_orders")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_transactions")),
        sa.UniqueConstraint("business_key", name=op.f("uq_ledger_transactions_business_key")),
    )
    with op.batch_alter_table("ledger_transactions") as batch_op:
        batch_op.create_index(batch_op.f("ix_ledger_transactions_order_id"), ["order_id"], unique=False)

    op.create_table(
        "order_credits",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("customer_id", BigInt, nullable=True),
        sa.Column("order_id", BigInt, nullable=True),
        sa.Column("amount_minor", BigInt, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("external_ref", sa.String(length=64), nullable=True),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("kind IN ('discount', 'shipping_refund', 'goodwill')", name=op.f("ck_order_credits_kind")),
        sa.CheckConstraint("amount_minor <> 0", name=op.f("ck_order_credits_amount")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_order_credits_customer_id_customers")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_credits_order_id_orders")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_credits")),
    )
    op.create_table(
        "order_lines",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("order_id", BigInt, nullable=False),
        sa.Column("variant_id", BigInt, nullable=False),
        sa.Column("product_id", BigInt, nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("quantity", BigInt, nullable=False),
        sa.Column("unit_price_minor", BigInt, nullable=False),
        sa.Column("unit_price_micros", BigInt, nullable=True),
        sa.Column("gross_minor", BigInt, nullable=False),
        sa.Column("line_discount_minor", BigInt, nullable=False),
        sa.Column("order_discount_minor", BigInt, nullable=False),
        sa.Column("points_discount_minor", BigInt, nullable=False),
        sa.Column("tax_minor", BigInt, nullable=False),
        sa.Column("net_minor", BigInt, nullable=False),
        sa.Column("returned_quantity", BigInt, nullable=False),
        sa.Column("refunded_minor", BigInt, nullable=False),
        sa.Column("customisation", JsonType, nullable=False),
        sa.CheckConstraint(
            "net_minor = gross_minor - line_discount_minor - order_discount_minor - points_discount_minor",
            name=op.f("ck_order_lines_net"),
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_order_lines_quantity")),
        sa.CheckConstraint("returned_quantity BETWEEN 0 AND quantity", name=op.f("ck_order_lines_returned")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_lines_order_id_orders")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_order_lines_product_id_products")),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["product_variants.id"], name=op.f("fk_order_lines_variant_id_product_variants")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_lines")),
    )
    with op.batch_alter_table("order_lines") as batch_op:
        batch_op.create_index(batch_op.f("ix_order_lines_order_id"), ["order_id"], unique=False)

    op.create_table(
        "order_status_changes",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("order_id", BigInt, nullable=False),
        sa.Column("from_status", sa.String(length=32), nullable=True),
        sa.Column("to_status", sa.String(length=32), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_status_changes_order_id_orders")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_status_changes")),
    )
    with op.batch_alter_table("order_status_changes") as batch_op:
        batch_op.create_index(batch_op.f("ix_order_status_changes_order_id"), ["order_id"], unique=False)

    op.create_table(
        "returns",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("order_id", BigInt, nullable=True),
        sa.Column("customer_id", BigInt, nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "requested",
                "approved",
                "rejected",
                "processed",
                name="return_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("refund_minor", BigInt, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("external_ref", sa.String(length=64), nullable=True),
        sa.Column("decision_note", sa.String(length=200), nullable=True),
        sa.Column("requested_at", UtcDateTime(), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("processed_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_returns_customer_id_customers")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_returns_order_id_orders")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_returns")),
        sa.UniqueConstraint("public_id", name=op.f("uq_returns_public_id")),
    )
    with op.batch_alter_table("returns") as batch_op:
        batch_op.create_index(batch_op.f("ix_returns_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_returns_order_id"), ["order_id"], unique=False)
        batch_op.create_index("ix_returns_source_external_ref", ["source", "external_ref"], unique=False)

    op.create_table(
        "shipments",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("order_id", BigInt, nullable=False),
        sa.Column("carrier", sa.String(length=64), nullable=False),
        sa.Column("tracking_number", sa.String(length=64), nullable=True),
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
            nullable=False,
        ),
        sa.Column("weight_grams", sa.Integer(), nullable=False),
        sa.Column("cost_minor", BigInt, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("shipped_at", UtcDateTime(), nullable=True),
        sa.Column("delivered_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_shipments_order_id_orders")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shipments")),
        sa.UniqueConstraint("tracking_number", name=op.f("uq_shipments_tracking_number")),
    )
    with op.batch_alter_table("shipments") as batch_op:
        batch_op.create_index(batch_op.f("ix_shipments_order_id"), ["order_id"], unique=False)

    op.create_table(
        "stock_holds",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("variant_id", BigInt, nullable=False),
        sa.Column("location_id", BigInt, nullable=False),
        sa.Column("order_id", BigInt, nullable=False),
        sa.Column("quantity", BigInt, nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "live",
                "fulfilled",
                "released",
                "expired",
                name="hold_state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_stock_holds_quantity")),
        sa.ForeignKeyConstraint(["location_id"], ["locations.id"], name=op.f("fk_stock_holds_location_id_locations")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_stock_holds_order_id_orders")),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["product_variants.id"], name=op.f("fk_stock_holds_variant_id_product_variants")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_holds")),
    )
    with op.batch_alter_table("stock_holds") as batch_op:
        batch_op.create_index(batch_op.f("ix_stock_holds_order_id"), ["order_id"], unique=False)
        batch_op.create_index("ix_stock_holds_state_expires_at", ["state", "expires_at"], unique=False)

    op.create_table(
        "tickets",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("customer_id", BigInt, nullable=False),
        sa.Column("order_id", BigInt, nullable=True),
        sa.Column(
            "category",
            sa.Enum(
                "order_issue",
                "payment_issue",
                "customization",
                "general",
                name="ticket_category",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "priority",
            sa.Enum(
                "low",
                "normal",
                "high",
                "urgent",
                name="ticket_priority",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "new",
                "open",
                "pending_customer",
                "pending_third",
                "resolved",
                "closed",
                name="ticket_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("assignee_id", BigInt, nullable=True),
        sa.Column("resolution_code", sa.String(length=40), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("first_responded_at", UtcDateTime(), nullable=True),
        sa.Column("resolved_at", UtcDateTime(), nullable=True),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["assignee_id"], ["users.id"], name=op.f("fk_tickets_assignee_id_users")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_tickets_customer_id_customers")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_tickets_order_id_orders")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tickets")),
        sa.UniqueConstraint("public_id", name=op.f("uq_tickets_public_id")),
    )
    with op.batch_alter_table("tickets") as batch_op:
        batch_op.create_index(batch_op.f("ix_tickets_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index("ix_tickets_status_id", ["status", "id"], unique=False)

    op.create_table(
        "ledger_postings",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("transaction_id", BigInt, nullable=False),
        sa.Column("account", sa.String(length=40), nullable=False),
        sa.Column("amount_minor", BigInt, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.CheckConstraint("amount_minor <> 0", name=op.f("ck_ledger_postings_amount")),
        sa.ForeignKeyConstraint(
            ["transaction_id"],
            ["ledger_transactions.id"],
            name=op.f("fk_ledger_postings_transaction_id_ledger_transactions"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_postings")),
    )
    with op.batch_alter_table("ledger_postings") as batch_op:
        batch_op.create_index(batch_op.f("ix_ledger_postings_transaction_id"), ["transaction_id"], unique=False)

    op.create_table(
        "order_line_points",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("order_line_id", BigInt, nullable=False),
        sa.Column("order_id", BigInt, nullable=False),
        sa.Column("customer_id", BigInt, nullable=False),
        sa.Column("quantity", BigInt, nullable=False),
        sa.Column("earned", BigInt, nullable=False),
        sa.Column("spent", BigInt, nullable=False),
        sa.CheckConstraint("earned >= 0 AND spent >= 0", name=op.f("ck_order_line_points_signs")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_order_line_points_quantity")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_order_line_points_customer_id_customers")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_line_points_order_id_orders")),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_lines.id"], name=op.f("fk_order_line_points_order_line_id_order_lines")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_line_points")),
        sa.UniqueConstraint("order_line_id", name=op.f("uq_order_line_points_order_line_id")),
    )
    with op.batch_alter_table("order_line_points") as batch_op:
        batch_op.create_index(batch_op.f("ix_order_line_points_order_id"), ["order_id"], unique=False)

    op.create_table(
        "payments",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("order_id", BigInt, nullable=False),
        sa.Column("gateway_order_id", BigInt, nullable=True),
        sa.Column("gateway", sa.String(length=16), nullable=False),
        sa.Column("gateway_payment_id", sa.String(length=64), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "created",
                "authorized",
                "captured",
                "refunded",
                "failed",
                name="payment_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_minor", BigInt, nullable=False),
        sa.Column("captured_minor", BigInt, nullable=False),
        sa.Column("refunded_minor", BigInt, nullable=False),
        sa.Column("refund_pending_minor", BigInt, nullable=False),
        sa.Column("fee_minor", BigInt, nullable=True),
        sa.Column("fee_tax_minor", BigInt, nullable=True),
        sa.Column("error_code", sa.String(length=64), nullable=True),
        sa.Column("error_description", sa.String(length=300), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("authorized_at", UtcDateTime(), nullable=True),
        sa.Column("captured_at", UtcDateTime(), nullable=True),
        sa.Column("failed_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("captured_minor IN (0, amount_minor)", name=op.f("ck_payments_captured")),
        sa.CheckConstraint(
            "refunded_minor >= 0 AND refund_pending_minor >= 0 AND refunded_minor + refund_pending_minor <= captured_minor",
            name=op.f("ck_payments_refunds"),
        ),
        sa.ForeignKeyConstraint(
            ["gateway_order_id"], ["gateway_orders.id"], name=op.f("fk_payments_gateway_order_id_gateway_orders")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_payments_order_id_orders")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments")),
        sa.UniqueConstraint("gateway", "gateway_payment_id", name=op.f("uq_payments_gateway_gateway_payment_id")),
    )
    with op.batch_alter_table("payments") as batch_op:
        batch_op.create_index(batch_op.f("ix_payments_gateway_order_id"), ["gateway_order_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_payments_order_id"), ["order_id"], unique=False)

    op.create_table(
        "point_lots",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("customer_id", BigInt, nullable=False),
        sa.Column("programme_id", BigInt, nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("order_line_id", BigInt, nullable=True),
        sa.Column("restored_from_id", BigInt, nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "pending",
                "active",
                "spent",
                "expired",
                "reversed",
                name="lot_state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("amount", BigInt, nullable=False),
        sa.Column("remaining", BigInt, nullable=False),
        sa.Column("earned_at", UtcDateTime(), nullable=False),
        sa.Column("available_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("amount > 0 AND remaining BETWEEN 0 AND amount", name=op.f("ck_point_lots_amounts")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_point_lots_customer_id_customers")),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_lines.id"], name=op.f("fk_point_lots_order_line_id_order_lines")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["loyalty_programmes.id"], name=op.f("fk_point_lots_programme_id_loyalty_programmes")
        ),
        sa.ForeignKeyConstraint(
            ["restored_from_id"], ["point_lots.id"], name=op.f("fk_point_lots_restored_from_id_point_lots")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_point_lots")),
    )
    with op.batch_alter_table("point_lots") as batch_op:
        batch_op.create_index(
            "ix_point_lots_customer_id_state_expires_at", ["customer_id", "state", "expires_at"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_point_lots_order_line_id"), ["order_line_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_point_lots_restored_from_id"), ["restored_from_id"], unique=False)
        batch_op.create_index("ix_point_lots_state_available_at", ["state", "available_at"], unique=False)

    op.create_table(
        "return_lines",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("return_id", BigInt, nullable=False),
        sa.Column("order_line_id", BigInt, nullable=True),
        sa.Column("variant_id", BigInt, nullable=False),
        sa.Column("product_id", BigInt, nullable=False),
        sa.Column("quantity", BigInt, nullable=False),
        sa.Column("refund_minor", BigInt, nullable=False),
        sa.Column("restock", sa.Boolean(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_return_lines_quantity")),
        sa.CheckConstraint("refund_minor >= 0", name=op.f("ck_return_lines_refund")),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_lines.id"], name=op.f("fk_return_lines_order_line_id_order_lines")
        ),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_return_lines_product_id_products")),
        sa.ForeignKeyConstraint(["return_id"], ["returns.id"], name=op.f("fk_return_lines_return_id_returns")),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["product_variants.id"], name=op.f("fk_return_lines_variant_id_product_variants")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_return_lines")),
    )
    with op.batch_alter_table("return_lines") as batch_op:
        batch_op.create_index(batch_op.f("ix_return_lines_order_line_id"), ["order_line_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_return_lines_return_id"), ["return_id"], unique=False)

    op.create_table(
        "reviews",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("customer_id", BigInt, nullable=False),
        sa.Column("product_id", BigInt, nullable=False),
        sa.Column("order_line_id", BigInt, nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "pending",
                "approved",
                "rejected",
                name="review_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("sentiment", sa.String(length=16), nullable=True),
        sa.Column("sentiment_model", sa.String(length=64), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("moderated_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("score BETWEEN 1 AND 5", name=op.f("ck_reviews_score")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_reviews_customer_id_customers")),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_lines.id"], name=op.f("fk_reviews_order_line_id_order_lines")
        ),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_reviews_product_id_products")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
        sa.UniqueConstraint("order_line_id", name=op.f("uq_reviews_order_line_id")),
    )
    with op.batch_alter_table("reviews") as batch_op:
        batch_op.create_index(batch_op.f("ix_reviews_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index("ix_reviews_product_id_status", ["product_id", "status"], unique=False)

    op.create_table(
        "ticket_messages",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("ticket_id", BigInt, nullable=False),
        sa.Column("author", sa.String(length=16), nullable=False),
        sa.Column("author_user_id", BigInt, nullable=True),
        sa.Column("is_internal", sa.Boolean(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["author_user_id"], ["users.id"], name=op.f("fk_ticket_messages_author_user_id_users")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_messages_ticket_id_tickets")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_messages")),
    )
    with op.batch_alter_table("ticket_messages") as batch_op:
        batch_op.create_index(batch_op.f("ix_ticket_messages_ticket_id"), ["ticket_id"], unique=False)

    op.create_table(
        "ticket_status_changes",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("ticket_id", BigInt, nullable=False),
        sa.Column("from_status", sa.String(length=32), nullable=True),
        sa.Column("to_status", sa.String(length=32), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_status_changes_ticket_id_tickets")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_status_changes")),
    )
    with op.batch_alter_table("ticket_status_changes") as batch_op:
        batch_op.create_index(batch_op.f("ix_ticket_status_changes_ticket_id"), ["ticket_id"], unique=False)

    op.create_table(
        "point_entries",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("customer_id", BigInt, nullable=False),
        sa.Column("lot_id", BigInt, nullable=True),
        sa.Column("order_id", BigInt, nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "earn",
                "activate",
                "hold",
                "capture",
                "release",
                "expire",
                "reverse",
                "restore",
                "adjust",
                name="entry_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("points", BigInt, nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_point_entries_customer_id_customers")),
        sa.ForeignKeyConstraint(["lot_id"], ["point_lots.id"], name=op.f("fk_point_entries_lot_id_point_lots")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_point_entries_order_id_orders")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_point_entries")),
    )
    with op.batch_alter_table("point_entries") as batch_op:
        batch_op.create_index("ix_point_entries_customer_id_id", ["customer_id", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_point_entries_order_id"), ["order_id"], unique=False)

    op.create_table(
        "refunds",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("payment_id", BigInt, nullable=True),
        sa.Column("order_id", BigInt, nullable=True),
        sa.Column("return_id", BigInt, nullable=True),
        sa.Column("idempotency_key", sa.String(length=64), nullable=False),
        sa.Column("gateway_refund_id", sa.String(length=64), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "pending",
                "processed",
                "failed",
                name="refund_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("amount_minor", BigInt, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("processed_at", UtcDateTime(), nullable=True),
        sa.Column("failed_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_refunds_amount")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_refunds_order_id_orders")),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_refunds_payment_id_payments")),
        sa.ForeignKeyConstraint(["return_id"], ["returns.id"], name=op.f("fk_refunds_return_id_returns")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refunds")),
        sa.UniqueConstraint("gateway_refund_id", name=op.f("uq_refunds_gateway_refund_id")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_refunds_idempotency_key")),
    )
    with op.batch_alter_table("refunds") as batch_op:
        batch_op.create_index(batch_op.f("ix_refunds_order_id"), ["order_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_refunds_payment_id"), ["payment_id"], unique=False)
        batch_op.create_index("ix_refunds_status_created_at", ["status", "created_at"], unique=False)

    op.create_table(
        "stock_movements",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("variant_id", BigInt, nullable=False),
        sa.Column("location_id", BigInt, nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "receipt",
                "sale",
                "return",
                "adjustment",
                name="movement_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("quantity", BigInt, nullable=False),
        sa.Column("order_line_id", BigInt, nullable=True),
        sa.Column("return_line_id", BigInt, nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("quantity <> 0", name=op.f("ck_stock_movements_quantity")),
        sa.ForeignKeyConstraint(
            ["location_id"], ["locations.id"], name=op.f("fk_stock_movements_location_id_locations")
        ),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_lines.id"], name=op.f("fk_stock_movements_order_line_id_order_lines")
        ),
        sa.ForeignKeyConstraint(
            ["return_line_id"], ["return_lines.id"], name=op.f("fk_stock_movements_return_line_id_return_lines")
        ),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["product_variants.id"], name=op.f("fk_stock_movements_variant_id_product_variants")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_movements")),
    )
    with op.batch_alter_table("stock_movements") as batch_op:
        batch_op.create_index(batch_op.f("ix_stock_movements_variant_id"), ["variant_id"], unique=False)

    op.create_table(
        "point_consumptions",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("lot_id", BigInt, nullable=False),
        sa.Column("entry_id", BigInt, nullable=False),
        sa.Column("amount", BigInt, nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["point_entries.id"], name=op.f("fk_point_consumptions_entry_id_point_entries")
        ),
        sa.ForeignKeyConstraint(["lot_id"], ["point_lots.id"], name=op.f("fk_point_consumptions_lot_id_point_lots")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_point_consumptions")),
        sa.UniqueConstraint("lot_id", "entry_id", name=op.f("uq_point_consumptions_lot_id_entry_id")),
    )
    with op.batch_alter_table("point_consumptions") as batch_op:
        batch_op.create_index(batch_op.f("ix_point_consumptions_entry_id"), ["entry_id"], unique=False)


def downgrade() -> None:
    """Revert: the tables go in the opposite order of their references."""
    for table in (
        "point_consumptions",
        "stock_movements",
        "refunds",
        "point_entries",
        "ticket_status_changes",
        "ticket_messages",
        "reviews",
        "return_lines",
        "point_lots",
        "payments",
        "order_line_points",
        "ledger_postings",
        "tickets",
        "stock_holds",
        "shipments",
        "returns",
        "order_status_changes",
        "order_lines",
        "order_credits",
        "ledger_transactions",
        "gateway_orders",
        "coupon_redemptions",
        "stock_levels",
        "prices",
        "orders",
        "cart_lines",
        "visitor_identities",
        "product_variants",
        "product_occasions",
        "point_balances",
        "carts",
        "behaviour_events",
        "addresses",
        "user_roles",
        "role_permissions",
        "refresh_tokens",
        "products",
        "imported_invoices",
        "import_quarantine",
        "customers",
        "coupon_codes",
        "webhook_inbox",
        "users",
        "shop_profile",
        "roles",
        "promotions",
        "outbox",
        "occasions",
        "loyalty_programmes",
        "locations",
        "journal_context",
        "journal",
        "import_runs",
        "idempotency_keys",
        "counters",
        "categories",
    ):
        op.drop_table(table)
