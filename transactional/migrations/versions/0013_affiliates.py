"""Affiliates: programmes in versions, who takes part with links and codes, clicks, and whose an order is.

The roles that every shop starts with may do in a shop that exists what they may in a new one.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from transactional.core.types import BigInt, UtcDateTime

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

GRANTS = {"staff": "read_affiliates", "manager": "write_affiliates"}


def upgrade() -> None:
    """Apply."""
    _create_tables()
    grant = sa.text(
        "INSERT INTO role_permissions (role_id, permission)"
        " SELECT roles.id, CAST(:permission AS VARCHAR(64)) FROM roles WHERE roles.key = :role AND NOT EXISTS ("
        " SELECT 1 FROM role_permissions AS held"
        " WHERE held.role_id = roles.id AND held.permission = :permission)"
    )
    for role, permission in GRANTS.items():
        op.execute(grant.bindparams(role=role, permission=permission))


def _create_tables() -> None:
    op.create_table(
        "affiliate_programmes",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("key = lower(key)", name=op.f("ck_affiliate_programmes_key")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_affiliate_programmes")),
        sa.UniqueConstraint("key", name=op.f("uq_affiliate_programmes_key")),
    )
    op.create_table(
        "affiliate_programme_versions",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("programme_id", BigInt, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("rate_bp", sa.Integer(), nullable=False),
        sa.Column("window_days", sa.Integer(), nullable=False),
        sa.Column(
            "click_rule",
            sa.Enum(
                "first_click", "last_click", name="click_rule", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column(
            "winner",
            sa.Enum("code", "click", name="winner", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("min_payout_minor", BigInt, nullable=False),
        sa.Column("valid_from", UtcDateTime(), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("min_payout_minor >= 0", name=op.f("ck_affiliate_programme_versions_min_payout")),
        sa.CheckConstraint("rate_bp BETWEEN 0 AND 10000", name=op.f("ck_affiliate_programme_versions_rate")),
        sa.CheckConstraint("version > 0", name=op.f("ck_affiliate_programme_versions_version")),
        sa.CheckConstraint("window_days > 0", name=op.f("ck_affiliate_programme_versions_window")),
        sa.ForeignKeyConstraint(
            ["programme_id"],
            ["affiliate_programmes.id"],
            name=op.f("fk_affiliate_programme_versions_programme_id_affiliate_programmes"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_affiliate_programme_versions")),
        sa.UniqueConstraint(
            "programme_id", "version", name=op.f("uq_affiliate_programme_versions_programme_id_version")
        ),
    )
    op.create_table(
        "affiliates",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("customer_id", BigInt, nullable=False),
        sa.Column("programme_id", BigInt, nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "applied",
                "active",
                "rejected",
                "inactive",
                name="affiliate_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("full_name", sa.String(length=200), nullable=False),
        sa.Column("website", sa.String(length=200), nullable=True),
        sa.Column("phone", sa.String(length=20), nullable=False),
        sa.Column("line1", sa.String(length=200), nullable=False),
        sa.Column("line2", sa.String(length=200), nullable=True),
        sa.Column("postal_code", sa.String(length=16), nullable=False),
        sa.Column("country", sa.String(length=64), nullable=False),
        sa.Column("pay_to", sa.String(length=120), nullable=False),
        sa.Column("applied_at", UtcDateTime(), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("decision_note", sa.String(length=200), nullable=True),
        sa.CheckConstraint("(status = 'applied') = (decided_at IS NULL)", name=op.f("ck_affiliates_applied")),
        sa.CheckConstraint("(decided_at IS NULL) = (decided_by IS NULL)", name=op.f("ck_affiliates_decided")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_affiliates_customer_id_customers")),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["affiliate_programmes.id"], name=op.f("fk_affiliates_programme_id_affiliate_programmes")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_affiliates")),
        sa.UniqueConstraint("customer_id", name=op.f("uq_affiliates_customer_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_affiliates_public_id")),
    )
    with op.batch_alter_table("affiliates") as batch_op:
        batch_op.create_index("ix_affiliates_programme_id_status", ["programme_id", "status"], unique=False)
    op.create_table(
        "affiliate_codes",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("affiliate_id", BigInt, nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("code = upper(code)", name=op.f("ck_affiliate_codes_upper")),
        sa.ForeignKeyConstraint(
            ["affiliate_id"], ["affiliates.id"], name=op.f("fk_affiliate_codes_affiliate_id_affiliates")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_affiliate_codes")),
        sa.UniqueConstraint("code", name=op.f("uq_affiliate_codes_code")),
    )
    with op.batch_alter_table("affiliate_codes") as batch_op:
        batch_op.create_index(batch_op.f("ix_affiliate_codes_affiliate_id"), ["affiliate_id"], unique=False)
    op.create_table(
        "affiliate_links",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("affiliate_id", BigInt, nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("landing", sa.String(length=300), nullable=False),
        sa.Column("label", sa.String(length=80), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("landing LIKE '/%'", name=op.f("ck_affiliate_links_landing")),
        sa.ForeignKeyConstraint(
            ["affiliate_id"], ["affiliates.id"], name=op.f("fk_affiliate_links_affiliate_id_affiliates")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_affiliate_links")),
        sa.UniqueConstraint("public_id", name=op.f("uq_affiliate_links_public_id")),
    )
    with op.batch_alter_table("affiliate_links") as batch_op:
        batch_op.create_index(batch_op.f("ix_affiliate_links_affiliate_id"), ["affiliate_id"], unique=False)
    op.create_table(
        "affiliate_periods",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("affiliate_id", BigInt, nullable=False),
        sa.Column("active_from", UtcDateTime(), nullable=False),
        sa.Column("active_until", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "active_until IS NULL OR active_until >= active_from", name=op.f("ck_affiliate_periods_period")
        ),
        sa.ForeignKeyConstraint(
            ["affiliate_id"], ["affiliates.id"], name=op.f("fk_affiliate_periods_affiliate_id_affiliates")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_affiliate_periods")),
    )
    with op.batch_alter_table("affiliate_periods") as batch_op:
        batch_op.create_index(batch_op.f("ix_affiliate_periods_affiliate_id"), ["affiliate_id"], unique=False)
        batch_op.create_index(
            "uq_affiliate_periods_open",
            ["affiliate_id"],
            unique=True,
            sqlite_where=sa.text("active_until IS NULL"),
            postgresql_where=sa.text("active_until IS NULL"),
        )
    op.create_table(
        "affiliate_rates",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("version_id", BigInt, nullable=False),
        sa.Column("affiliate_id", BigInt, nullable=True),
        sa.Column("category_id", BigInt, nullable=True),
        sa.Column("rate_bp", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "affiliate_id IS NOT NULL OR category_id IS NOT NULL", name=op.f("ck_affiliate_rates_target")
        ),
        sa.CheckConstraint("rate_bp BETWEEN 0 AND 10000", name=op.f("ck_affiliate_rates_rate")),
        sa.ForeignKeyConstraint(
            ["affiliate_id"], ["affiliates.id"], name=op.f("fk_affiliate_rates_affiliate_id_affiliates")
        ),
        sa.ForeignKeyConstraint(
            ["category_id"], ["categories.id"], name=op.f("fk_affiliate_rates_category_id_categories")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["affiliate_programme_versions.id"],
            name=op.f("fk_affiliate_rates_version_id_affiliate_programme_versions"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_affiliate_rates")),
        sa.UniqueConstraint(
            "version_id",
            "affiliate_id",
            "category_id",
            name=op.f("uq_affiliate_rates_version_id_affiliate_id_category_id"),
        ),
    )
    op.create_table(
        "affiliate_clicks",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("affiliate_id", BigInt, nullable=False),
        sa.Column("link_id", BigInt, nullable=False),
        sa.Column("landing", sa.String(length=300), nullable=False),
        sa.Column("visitor_id", sa.String(length=40), nullable=True),
        sa.Column("browser_hash", sa.String(length=64), nullable=True),
        sa.Column("consent", sa.Boolean(), nullable=False),
        sa.Column("clicked_at", UtcDateTime(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.CheckConstraint(
            "consent OR (visitor_id IS NULL AND browser_hash IS NULL)", name=op.f("ck_affiliate_clicks_consent")
        ),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_affiliate_clicks_sha256")),
        sa.ForeignKeyConstraint(
            ["affiliate_id"], ["affiliates.id"], name=op.f("fk_affiliate_clicks_affiliate_id_affiliates")
        ),
        sa.ForeignKeyConstraint(
            ["link_id"], ["affiliate_links.id"], name=op.f("fk_affiliate_clicks_link_id_affiliate_links")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_affiliate_clicks")),
        sa.UniqueConstraint("public_id", name=op.f("uq_affiliate_clicks_public_id")),
    )
    with op.batch_alter_table("affiliate_clicks") as batch_op:
        batch_op.create_index("ix_affiliate_clicks_affiliate_id_id", ["affiliate_id", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_affiliate_clicks_link_id"), ["link_id"], unique=False)
        batch_op.create_index("ix_affiliate_clicks_visitor_id_clicked_at", ["visitor_id", "clicked_at"], unique=False)
    op.create_table(
        "order_referrals",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("order_id", BigInt, nullable=False),
        sa.Column("visitor_id", sa.String(length=40), nullable=True),
        sa.Column("code", sa.String(length=40), nullable=True),
        sa.Column("given_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("visitor_id IS NOT NULL OR code IS NOT NULL", name=op.f("ck_order_referrals_said")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_referrals_order_id_orders")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_referrals")),
        sa.UniqueConstraint("order_id", name=op.f("uq_order_referrals_order_id")),
    )
    op.create_table(
        "order_attributions",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("order_id", BigInt, nullable=False),
        sa.Column("affiliate_id", BigInt, nullable=False),
        sa.Column("version_id", BigInt, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum(
                "credited", "refused", name="attribution_outcome", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column(
            "reason",
            sa.Enum(
                "same_account",
                "same_email",
                "same_phone",
                "same_address",
                name="refusal_reason",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column(
            "decided_by",
            sa.Enum(
                "click", "code", "binding", name="decided_by", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("click_id", BigInt, nullable=True),
        sa.Column("code_id", BigInt, nullable=True),
        sa.Column("bound_by_id", BigInt, nullable=True),
        sa.Column("visitor_id", sa.String(length=40), nullable=True),
        sa.Column("customer_id", BigInt, nullable=True),
        sa.Column("placed_at", UtcDateTime(), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=False),
        sa.Column("previous_sha256", sa.String(length=64), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.CheckConstraint(
            "(decided_by = 'binding') = (bound_by_id IS NOT NULL)", name=op.f("ck_order_attributions_binding")
        ),
        sa.CheckConstraint("(decided_by = 'click') = (click_id IS NOT NULL)", name=op.f("ck_order_attributions_click")),
        sa.CheckConstraint("(decided_by = 'code') = (code_id IS NOT NULL)", name=op.f("ck_order_attributions_code")),
        sa.CheckConstraint("(outcome = 'refused') = (reason IS NOT NULL)", name=op.f("ck_order_attributions_reason")),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_order_attributions_sha256")),
        sa.ForeignKeyConstraint(
            ["affiliate_id"], ["affiliates.id"], name=op.f("fk_order_attributions_affiliate_id_affiliates")
        ),
        sa.ForeignKeyConstraint(
            ["bound_by_id"],
            ["order_attributions.id"],
            name=op.f("fk_order_attributions_bound_by_id_order_attributions"),
        ),
        sa.ForeignKeyConstraint(
            ["click_id"], ["affiliate_clicks.id"], name=op.f("fk_order_attributions_click_id_affiliate_clicks")
        ),
        sa.ForeignKeyConstraint(
            ["code_id"], ["affiliate_codes.id"], name=op.f("fk_order_attributions_code_id_affiliate_codes")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_order_attributions_customer_id_customers")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_attributions_order_id_orders")),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["affiliate_programme_versions.id"],
            name=op.f("fk_order_attributions_version_id_affiliate_programme_versions"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_attributions")),
        sa.UniqueConstraint("affiliate_id", "number", name=op.f("uq_order_attributions_affiliate_id_number")),
        sa.UniqueConstraint("order_id", name=op.f("uq_order_attributions_order_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_order_attributions_public_id")),
    )
    with op.batch_alter_table("order_attributions") as batch_op:
        batch_op.create_index("ix_order_attributions_customer_id", ["customer_id"], unique=False)
        batch_op.create_index("ix_order_attributions_visitor_id", ["visitor_id"], unique=False)


def downgrade() -> None:
    """Revert the tables; code that does not know a permission ignores it."""
    with op.batch_alter_table("order_attributions") as batch_op:
        batch_op.drop_index("ix_order_attributions_visitor_id")
        batch_op.drop_index("ix_order_attributions_customer_id")
    op.drop_table("order_attributions")
    op.drop_table("order_referrals")
    with op.batch_alter_table("affiliate_clicks") as batch_op:
        batch_op.drop_index("ix_affiliate_clicks_visitor_id_clicked_at")
        batch_op.drop_index(batch_op.f("ix_affiliate_clicks_link_id"))
        batch_op.drop_index("ix_affiliate_clicks_affiliate_id_id")
    op.drop_table("affiliate_clicks")
    op.drop_table("affiliate_rates")
    with op.batch_alter_table("affiliate_periods") as batch_op:
        batch_op.drop_index(
            "uq_affiliate_periods_open",
            sqlite_where=sa.text("active_until IS NULL"),
            postgresql_where=sa.text("active_until IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_affiliate_periods_affiliate_id"))
    op.drop_table("affiliate_periods")
    with op.batch_alter_table("affiliate_links") as batch_op:
        batch_op.drop_index(batch_op.f("ix_affiliate_links_affiliate_id"))
    op.drop_table("affiliate_links")
    with op.batch_alter_table("affiliate_codes") as batch_op:
        batch_op.drop_index(batch_op.f("ix_affiliate_codes_affiliate_id"))
    op.drop_table("affiliate_codes")
    with op.batch_alter_table("affiliates") as batch_op:
        batch_op.drop_index("ix_affiliates_programme_id_status")
    op.drop_table("affiliates")
    op.drop_table("affiliate_programme_versions")
    op.drop_table("affiliate_programmes")
