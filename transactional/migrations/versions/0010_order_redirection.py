"""What another address of an order costs: a change set keeps the difference of the charge for shipping."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from transactional.core.types import BigInt

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("order_changes") as batch_op:
        batch_op.add_column(sa.Column("shipping_minor", BigInt, server_default=sa.text("0"), nullable=False))


def downgrade() -> None:
    """Revert."""
    with op.batch_alter_table("order_changes") as batch_op:
        batch_op.drop_column("shipping_minor")
