"""Customers who invite others: terms in versions, invitations, and what came of them."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from transactional.core.types import BigInt, UtcDateTime

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
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


def downgrade() -> None:
    """Revert."""
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
    op.drop_table("referral_invites")
    op.drop_table("referral_terms")
