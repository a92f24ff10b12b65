"""Claims for parcels that were lost or broken, and postal codes that no courier serves."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from transactional.core.types import BigInt, UtcDateTime

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "unserved_postal_codes",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("postal_code", sa.String(length=16), nullable=False),
        sa.Column("cod", sa.Boolean(), nullable=False),
        sa.Column("grams", sa.Integer(), nullable=False),
        sa.Column("refused_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unserved_postal_codes")),
        sa.UniqueConstraint("postal_code", "cod", name=op.f("uq_unserved_postal_codes_postal_code_cod")),
    )
    op.create_table(
        "carrier_claims",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("shipment_id", BigInt, nullable=False),
        sa.Column("order_id", BigInt, nullable=False),
        sa.Column(
            "cause",
            sa.Enum("lost", "damaged", name="claim_cause", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("claimed_minor", BigInt, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column(
            "decision",
            sa.Enum(
                "refund",
                "resend",
                "withdrawn",
                name="claim_decision",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("note", sa.String(length=300), nullable=True),
        sa.Column("replacement_id", BigInt, nullable=True),
        sa.CheckConstraint("(decision IS NULL) = (decided_at IS NULL)", name=op.f("ck_carrier_claims_decided")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_carrier_claims_order_id_orders")),
        sa.ForeignKeyConstraint(
            ["replacement_id"], ["shipments.id"], name=op.f("fk_carrier_claims_replacement_id_shipments")
        ),
        sa.ForeignKeyConstraint(
            ["shipment_id"], ["shipments.id"], name=op.f("fk_carrier_claims_shipment_id_shipments")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carrier_claims")),
        sa.UniqueConstraint("shipment_id", name=op.f("uq_carrier_claims_shipment_id")),
    )
    with op.batch_alter_table("carrier_claims") as batch_op:
        batch_op.create_index("ix_carrier_claims_decision_id", ["decision", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_carrier_claims_order_id"), ["order_id"], unique=False)


def downgrade() -> None:
    """Revert."""
    with op.batch_alter_table("carrier_claims") as batch_op:
        batch_op.drop_index(batch_op.f("ix_carrier_claims_order_id"))
        batch_op.drop_index("ix_carrier_claims_decision_id")

    op.drop_table("carrier_claims")
    op.drop_table("unserved_postal_codes")
