"""Affiliates and referrals: programmes in versions, clicks, whose an order is, commission as lots, fixed payouts.

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
        "referral_terms",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column(
            "reward",
            sa.Enum("points", "code", name="reward_kind", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("referrer_points", BigInt, nullable=False),
        sa.Column("referred_points", BigInt, nullable=False),
        sa.Column("code_percent_bp", sa.Integer(), nullable=True),
        sa.Column("code_max_discount_minor", BigInt, nullable=True),
        sa.Column("code_valid_days", sa.Integer(), nullable=True),
        sa.Column("min_order_minor", BigInt, nullable=False),
        sa.Column("valid_from", UtcDateTime(), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("(reward = 'code') = (code_percent_bp IS NOT NULL)", name=op.f("ck_referral_terms_code")),
        sa.CheckConstraint(
            "reward = 'code' OR referrer_points + referred_points > 0", name=op.f("ck_referral_terms_something")
        ),
        sa.CheckConstraint(
            "(code_percent_bp IS NULL) = (code_valid_days IS NULL)", name=op.f("ck_referral_terms_code_period")
        ),
        sa.CheckConstraint(
            "code_percent_bp IS NULL OR code_percent_bp BETWEEN 1 AND 10000", name=op.f("ck_referral_terms_percent")
        ),
        sa.CheckConstraint("min_order_minor >= 0", name=op.f("ck_referral_terms_min_order")),
        sa.CheckConstraint("referrer_points >= 0 AND referred_points >= 0", name=op.f("ck_referral_terms_points")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referral_terms")),
        sa.UniqueConstraint("version", name=op.f("uq_referral_terms_version")),
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
        "referral_invites",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("customer_id", BigInt, nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("code = upper(code)", name=op.f("ck_referral_invites_upper")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_referral_invites_customer_id_customers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referral_invites")),
        sa.UniqueConstraint("code", name=op.f("uq_referral_invites_code")),
        sa.UniqueConstraint("customer_id", name=op.f("uq_referral_invites_customer_id")),
    )
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
        "referrals",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("invite_id", BigInt, nullable=False),
        sa.Column("terms_id", BigInt, nullable=False),
        sa.Column("order_id", BigInt, nullable=False),
        sa.Column("customer_id", BigInt, nullable=False),
        sa.Column("identity_key", sa.String(length=320), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "pending",
                "granted",
                "refused",
                "reversed",
                name="referral_state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("referrer_code", sa.String(length=40), nullable=True),
        sa.Column("referred_code", sa.String(length=40), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("granted_at", UtcDateTime(), nullable=True),
        sa.Column("reversed_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "(state IN ('refused', 'reversed')) = (reason IS NOT NULL)", name=op.f("ck_referrals_reason")
        ),
        sa.CheckConstraint(
            "state NOT IN ('granted', 'reversed') OR granted_at IS NOT NULL", name=op.f("ck_referrals_granted")
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_referrals_customer_id_customers")),
        sa.ForeignKeyConstraint(
            ["invite_id"], ["referral_invites.id"], name=op.f("fk_referrals_invite_id_referral_invites")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_referrals_order_id_orders")),
        sa.ForeignKeyConstraint(["terms_id"], ["referral_terms.id"], name=op.f("fk_referrals_terms_id_referral_terms")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referrals")),
        sa.UniqueConstraint("order_id", name=op.f("uq_referrals_order_id")),
    )
    with op.batch_alter_table("referrals") as batch_op:
        batch_op.create_index(batch_op.f("ix_referrals_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_referrals_invite_id"), ["invite_id"], unique=False)
        batch_op.create_index("ix_referrals_state_id", ["state", "id"], unique=False)
        batch_op.create_index(
            "uq_referrals_identity_key",
            ["identity_key"],
            unique=True,
            sqlite_where=sa.text("state <> 'refused'"),
            postgresql_where=sa.text("state <> 'refused'"),
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
    """Revert the tables; code that does not know a permission ignores it."""
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
    with op.batch_alter_table("order_attributions") as batch_op:
        batch_op.drop_index("ix_order_attributions_visitor_id")
        batch_op.drop_index("ix_order_attributions_customer_id")

    op.drop_table("order_attributions")
    with op.batch_alter_table("referrals") as batch_op:
        batch_op.drop_index(
            "uq_referrals_identity_key",
            sqlite_where=sa.text("state <> 'refused'"),
            postgresql_where=sa.text("state <> 'refused'"),
        )
        batch_op.drop_index("ix_referrals_state_id")
        batch_op.drop_index(batch_op.f("ix_referrals_invite_id"))
        batch_op.drop_index(batch_op.f("ix_referrals_customer_id"))

    op.drop_table("referrals")
    op.drop_table("order_referrals")
    with op.batch_alter_table("affiliate_clicks") as batch_op:
        batch_op.drop_index("ix_affiliate_clicks_visitor_id_clicked_at")
        batch_op.drop_index(batch_op.f("ix_affiliate_clicks_link_id"))
        batch_op.drop_index("ix_affiliate_clicks_affiliate_id_id")

    op.drop_table("affiliate_clicks")
    op.drop_table("commission_balances")
    op.drop_table("affiliate_rates")
    with op.batch_alter_table("affiliate_periods") as batch_op:
        batch_op.drop_index(
            "uq_affiliate_periods_open",
            sqlite_where=sa.text("active_until IS NULL"),
            postgresql_where=sa.text("active_until IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_affiliate_periods_affiliate_id"))

    op.drop_table("affiliate_periods")
    with op.batch_alter_table("affiliate_payouts") as batch_op:
        batch_op.drop_index(batch_op.f("ix_affiliate_payouts_affiliate_id"))

    op.drop_table("affiliate_payouts")
    with op.batch_alter_table("affiliate_links") as batch_op:
        batch_op.drop_index(batch_op.f("ix_affiliate_links_affiliate_id"))

    op.drop_table("affiliate_links")
    with op.batch_alter_table("affiliate_codes") as batch_op:
        batch_op.drop_index(batch_op.f("ix_affiliate_codes_affiliate_id"))

    op.drop_table("affiliate_codes")
    op.drop_table("referral_invites")
    with op.batch_alter_table("affiliates") as batch_op:
        batch_op.drop_index("ix_affiliates_programme_id_status")

    op.drop_table("affiliates")
    with op.batch_alter_table("payout_batches") as batch_op:
        batch_op.drop_index(batch_op.f("ix_payout_batches_programme_id"))

    op.drop_table("payout_batches")
    op.drop_table("affiliate_programme_versions")
    op.drop_table("referral_terms")
    op.drop_table("affiliate_programmes")
