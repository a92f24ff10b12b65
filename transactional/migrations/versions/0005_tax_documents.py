"""Invoices and credit notes of the goods and services tax."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from transactional.core.types import BigInt, JsonType, UtcDateTime

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "tax_documents",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "invoice", "credit_note", name="document_kind", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("series", sa.String(length=3), nullable=False),
        sa.Column("financial_year", sa.Integer(), nullable=False),
        sa.Column("serial", BigInt, nullable=False),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("business_key", sa.String(length=80), nullable=False),
        sa.Column("order_id", BigInt, nullable=False),
        sa.Column("return_id", BigInt, nullable=True),
        sa.Column("refers_to_id", BigInt, nullable=True),
        sa.Column("issued_at", UtcDateTime(), nullable=False),
        sa.Column("seller", JsonType, nullable=False),
        sa.Column("buyer", JsonType, nullable=False),
        sa.Column("details", JsonType, nullable=False),
        sa.Column("place_of_supply", sa.String(length=2), nullable=False),
        sa.Column(
            "supply_kind",
            sa.Enum(
                "intra", "inter", "export", name="supply_kind", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("taxable_minor", BigInt, nullable=False),
        sa.Column("cgst_minor", BigInt, nullable=False),
        sa.Column("sgst_minor", BigInt, nullable=False),
        sa.Column("igst_minor", BigInt, nullable=False),
        sa.Column("total_minor", BigInt, nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("notes", JsonType, nullable=False),
        sa.Column("content_sha256", sa.String(length=64), nullable=False),
        sa.CheckConstraint(
            "(kind = 'credit_note') = (refers_to_id IS NOT NULL)", name=op.f("ck_tax_documents_refers_to")
        ),
        sa.CheckConstraint(
            "(supply_kind = 'intra' AND igst_minor = 0) OR (supply_kind <> 'intra' AND cgst_minor = 0 AND sgst_minor = 0)",
            name=op.f("ck_tax_documents_taxes"),
        ),
        sa.CheckConstraint("length(number) <= 16", name=op.f("ck_tax_documents_number")),
        sa.CheckConstraint("serial > 0", name=op.f("ck_tax_documents_serial")),
        sa.CheckConstraint(
            "taxable_minor >= 0 AND cgst_minor >= 0 AND sgst_minor >= 0 AND igst_minor >= 0",
            name=op.f("ck_tax_documents_not_negative"),
        ),
        sa.CheckConstraint(
            "total_minor = taxable_minor + cgst_minor + sgst_minor + igst_minor", name=op.f("ck_tax_documents_total")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_tax_documents_order_id_orders")),
        sa.ForeignKeyConstraint(
            ["refers_to_id"], ["tax_documents.id"], name=op.f("fk_tax_documents_refers_to_id_tax_documents")
        ),
        sa.ForeignKeyConstraint(["return_id"], ["returns.id"], name=op.f("fk_tax_documents_return_id_returns")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tax_documents")),
        sa.UniqueConstraint("business_key", name=op.f("uq_tax_documents_business_key")),
        sa.UniqueConstraint("number", name=op.f("uq_tax_documents_number")),
        sa.UniqueConstraint(
            "series", "financial_year", "serial", name=op.f("uq_tax_documents_series_financial_year_serial")
        ),
    )
    with op.batch_alter_table("tax_documents") as batch_op:
        batch_op.create_index("ix_tax_documents_issued_at_id", ["issued_at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_tax_documents_order_id"), ["order_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_tax_documents_refers_to_id"), ["refers_to_id"], unique=False)

    op.create_table(
        "tax_document_lines",
        sa.Column("id", BigInt, autoincrement=True, nullable=False),
        sa.Column("document_id", BigInt, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "goods",
                "shipping",
                "wrap",
                name="document_line_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("order_line_id", BigInt, nullable=True),
        sa.Column("first_unit", BigInt, nullable=True),
        sa.Column("quantity", BigInt, nullable=False),
        sa.Column("hsn_code", sa.String(length=8), nullable=True),
        sa.Column("sku", sa.String(length=64), nullable=True),
        sa.Column("description", sa.String(length=300), nullable=False),
        sa.Column("unit_price_minor", BigInt, nullable=False),
        sa.Column("discount_minor", BigInt, nullable=False),
        sa.Column("rate_bp", sa.Integer(), nullable=False),
        sa.Column("taxable_minor", BigInt, nullable=False),
        sa.Column("cgst_minor", BigInt, nullable=False),
        sa.Column("sgst_minor", BigInt, nullable=False),
        sa.Column("igst_minor", BigInt, nullable=False),
        sa.Column("total_minor", BigInt, nullable=False),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_tax_document_lines_quantity")),
        sa.CheckConstraint("rate_bp BETWEEN 0 AND 10000", name=op.f("ck_tax_document_lines_rate")),
        sa.CheckConstraint(
            "taxable_minor >= 0 AND cgst_minor >= 0 AND sgst_minor >= 0 AND igst_minor >= 0",
            name=op.f("ck_tax_document_lines_not_negative"),
        ),
        sa.CheckConstraint(
            "total_minor = taxable_minor + cgst_minor + sgst_minor + igst_minor",
            name=op.f("ck_tax_document_lines_total"),
        ),
        sa.ForeignKeyConstraint(
            ["document_id"], ["tax_documents.id"], name=op.f("fk_tax_document_lines_document_id_tax_documents")
        ),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_lines.id"], name=op.f("fk_tax_document_lines_order_line_id_order_lines")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tax_document_lines")),
        sa.UniqueConstraint("document_id", "position", name=op.f("uq_tax_document_lines_document_id_position")),
    )
    with op.batch_alter_table("tax_document_lines") as batch_op:
        batch_op.create_index(batch_op.f("ix_tax_document_lines_order_line_id"), ["order_line_id"], unique=False)


def downgrade() -> None:
    """Revert."""
    with op.batch_alter_table("tax_document_lines") as batch_op:
        batch_op.drop_index(batch_op.f("ix_tax_document_lines_order_line_id"))

    op.drop_table("tax_document_lines")
    with op.batch_alter_table("tax_documents") as batch_op:
        batch_op.drop_index(batch_op.f("ix_tax_documents_refers_to_id"))
        batch_op.drop_index(batch_op.f("ix_tax_documents_order_id"))
        batch_op.drop_index("ix_tax_documents_issued_at_id")

    op.drop_table("tax_documents")
