"""Roles of a shop that exists may do what a new shop's may: suppliers, procurement and shipping have keys of their own.

Only the roles that every shop starts with are given the keys; what a shop made of its own roles stays. Taking the keys
away again is not needed: code that does not know a key ignores it.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

GRANTS = {
    "staff": ("read_suppliers", "write_procurement", "read_shipping"),
    "manager": ("write_suppliers", "write_procurement", "write_shipping"),
}


def upgrade() -> None:
    """Apply."""
    grant = sa.text(
        "INSERT INTO role_permissions (role_id, permission)"
        " SELECT roles.id, CAST(:permission AS VARCHAR(64)) FROM roles WHERE roles.key = :role AND NOT EXISTS ("
        " SELECT 1 FROM role_permissions AS held"
        " WHERE held.role_id = roles.id AND held.permission = :permission)"
    )
    for role, permissions in GRANTS.items():
        for permission in permissions:
            op.execute(grant.bindparams(role=role, permission=permission))


def downgrade() -> None:
    """Nothing to revert."""
