"""Stock over the wire."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from transactional.inventory.models import Location, MovementKind, StockLevel, StockMovement

_QUANTITY_LIMIT = 1_000_000


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class ReceiptIn(_In):
    """Goods that came in."""

    variant_id: int = Field(examples=[7])
    location_id: int | None = Field(default=None, description="The main store room by default", examples=[1])
    quantity: int = Field(ge=1, le=_QUANTITY_LIMIT, examples=[48])
    reason: str = Field(default="received", min_length=1, max_length=200, examples=["delivery note 4711"])


class AdjustmentIn(_In):
    """A correction of the shelf."""

    variant_id: int = Field(examples=[7])
    location_id: int | None = Field(default=None, description="The main store room by default", examples=[1])
    quantity: int = Field(
        ge=-_QUANTITY_LIMIT, le=_QUANTITY_LIMIT, description="Signed: negative takes off the shelf", examples=[-2]
    )
    reason: str = Field(min_length=1, max_length=200, examples=["broken in the store room"])


class LocationOut(BaseModel):
    """A place where stock lies."""

    id: int = Field(examples=[1])
    code: str = Field(examples=["MAIN"])
    name: str = Field(examples=["Main store room"])

    @classmethod
    def of(cls, location: Location) -> "LocationOut":
        """From the row."""
        return cls(id=location.id, code=location.code, name=location.name)


class LevelOut(BaseModel):
    """What lies at a location and what of it is promised to orders."""

    variant_id: int = Field(examples=[7])
    location_id: int = Field(examples=[1])
    on_hand: int = Field(examples=[48])
    reserved: int = Field(examples=[3])
    threshold: int = Field(description="Kept back; negative allows back-orders up to that number", examples=[0])
    free: int = Field(description="on_hand − reserved − threshold", examples=[45])

    @classmethod
    def of(cls, level: StockLevel) -> "LevelOut":
        """From the row."""
        return cls(
            variant_id=level.variant_id,
            location_id=level.location_id,
            on_hand=level.on_hand,
            reserved=level.reserved,
            threshold=level.threshold,
            free=level.on_hand - level.reserved - level.threshold,
        )


class MovementOut(BaseModel):
    """One entry of the stock ledger."""

    id: int = Field(examples=[120])
    variant_id: int = Field(examples=[7])
    location_id: int = Field(examples=[1])
    kind: MovementKind = Field(examples=["receipt"])
    quantity: int = Field(description="Signed: positive onto the shelf", examples=[48])
    order_line_id: int | None = Field(examples=[None])
    reason: str = Field(examples=["delivery note 4711"])
    occurred_at: datetime = Field(examples=["2026-01-15T10:00:00Z"])

    @classmethod
    def of(cls, movement: StockMovement) -> "MovementOut":
        """From the row."""
        return cls(
            id=movement.id,
            variant_id=movement.variant_id,
            location_id=movement.location_id,
            kind=movement.kind,
            quantity=movement.quantity,
            order_line_id=movement.order_line_id,
            reason=movement.reason,
            occurred_at=movement.occurred_at,
        )
