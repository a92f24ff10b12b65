"""Staff and roles on the wire."""

from datetime import datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from transactional.accounts.service import User
from transactional.staff.service import Grant, RoleView

RoleKey = Field(pattern=r"^[a-z][a-z0-9_]{0,31}$", examples=["manager"])


class RoleOut(BaseModel):
    """A role and what it permits."""

    key: str = RoleKey
    name: str = Field(examples=["Manager"])
    permissions: list[str] = Field(examples=[["read_orders", "write_orders"]])

    @classmethod
    def of(cls, role: RoleView) -> "RoleOut":
        """Shape a role."""
        return cls(key=role.key, name=role.name, permissions=sorted(role.permissions))


class GrantOut(BaseModel):
    """A role that somebody holds."""

    role: str = RoleKey
    granted_by: str = Field(examples=["user:1"])
    granted_at: datetime
    expires_at: datetime | None = Field(description="Null: until it is taken")

    @classmethod
    def of(cls, grant: Grant) -> "GrantOut":
        """Shape a grant."""
        return cls(
            role=grant.role, granted_by=grant.granted_by, granted_at=grant.granted_at, expires_at=grant.expires_at
        )


class MemberOut(BaseModel):
    """Somebody who works here, or who could."""

    user_id: int = Field(examples=[4])
    email: str = Field(examples=["ravi@example.com"])
    full_name: str = Field(examples=["Ravi Menon"])
    is_active: bool = Field(examples=[True])
    grants: list[GrantOut]

    @classmethod
    def of(cls, user: User, grants: list[Grant]) -> "MemberOut":
        """Shape a user with the roles held."""
        return cls(
            user_id=user.id,
            email=user.email,
            full_name=user.full_name,
            is_active=user.is_active,
            grants=[GrantOut.of(grant) for grant in grants],
        )


class GrantIn(BaseModel):
    """Who gets which role, and until when."""

    model_config = ConfigDict(extra="forbid")

    email: str = Field(min_length=3, max_length=320, examples=["ravi@example.com"])
    role: str = RoleKey
    expires_at: AwareDatetime | None = Field(default=None, examples=["2026-12-31T18:30:00Z"])
