"""Roles are data: code names the permissions, rows say who has which."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from transactional.core.db import Base
from transactional.core.types import BigInt, IntPk, UtcDateTime


class Role(Base):
    """A named set of permissions: customer, staff, manager, super_admin, service, or the shop's own."""

    __tablename__ = "roles"

    id: Mapped[IntPk]
    key: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(100))


class RolePermission(Base):
    """One permission key of a role."""

    __tablename__ = "role_permissions"
    __table_args__ = (UniqueConstraint("role_id", "permission"),)

    id: Mapped[IntPk]
    role_id: Mapped[int] = mapped_column(BigInt, ForeignKey("roles.id", ondelete="CASCADE"))
    permission: Mapped[str] = mapped_column(String(64))


class UserRole(Base):
    """A role that a user holds, possibly for a time."""

    __tablename__ = "user_roles"
    __table_args__ = (UniqueConstraint("user_id", "role_id"),)

    id: Mapped[IntPk]
    user_id: Mapped[int] = mapped_column(BigInt, ForeignKey("users.id"))
    role_id: Mapped[int] = mapped_column(BigInt, ForeignKey("roles.id"))
    granted_by: Mapped[str] = mapped_column(String(64))
    granted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
