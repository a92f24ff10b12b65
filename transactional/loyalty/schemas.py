"""Points over the wire."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from transactional.loyalty.models import EntryKind, PointEntry
from transactional.loyalty.service import Balance

_POINTS_LIMIT = 1_000_000


class BalanceOut(BaseModel):
    """A customer's points now."""

    redeemable: int = Field(description="What an order could take now: active − owed", examples=[120])
    active: int = Field(examples=[120])
    pending: int = Field(description="Earned; available when the return window ends", examples=[30])
    held: int = Field(description="Set aside for orders that are not paid yet", examples=[0])
    owed: int = Field(description="Taken back after they had been spent; the next points pay for them", examples=[0])
    spent: int = Field(examples=[200])
    expired: int = Field(examples=[15])

    @classmethod
    def of(cls, balance: Balance) -> "BalanceOut":
        """From the service's answer."""
        return cls(
            redeemable=balance.redeemable,
            active=balance.active,
            pending=balance.pending,
            held=balance.held,
            owed=balance.owed,
            spent=balance.spent,
            expired=balance.expired,
        )


class PointEntryOut(BaseModel):
    """One entry of the ledger of points."""

    id: int = Field(examples=[311])
    kind: EntryKind = Field(examples=["earn"])
    points: int = Field(description="Signed: what the balance changed by", examples=[12])
    reason: str = Field(examples=[""])
    order_id: int | None = Field(examples=[88])
    occurred_at: datetime = Field(examples=["2026-01-15T10:00:00Z"])

    @classmethod
    def of(cls, entry: PointEntry) -> "PointEntryOut":
        """From the row."""
        return cls(
            id=entry.id,
            kind=entry.kind,
            points=entry.points,
            reason=entry.reason,
            order_id=entry.order_id,
            occurred_at=entry.occurred_at,
        )


class PointsAdjustmentIn(BaseModel):
    """Points given or taken by hand."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    points: int = Field(ge=-_POINTS_LIMIT, le=_POINTS_LIMIT, description="Signed, not 0", examples=[50])
    reason: str = Field(min_length=1, max_length=200, examples=["apology for a late parcel"])
