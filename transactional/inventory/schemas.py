"""Stock over the wire."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from transactional.inventory.history import Position
from transactional.inventory.models import (
    HoldState,
    Location,
    MovementKind,
    ReorderPolicy,
    StockAlert,
    StockHold,
    StockLevel,
    StockMovement,
    StockTransfer,
)

_QUANTITY_LIMIT = 1_000_000

Id = Annotated[int, Field(ge=1, le=2**63 - 1)]
Units = Annotated[int, Field(ge=0, le=_QUANTITY_LIMIT)]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class ReceiptIn(_In):
    """Goods that came in."""

    variant_id: Id = Field(examples=[7])
    location_id: Id | None = Field(default=None, description="The main store room by default", examples=[1])
    quantity: int = Field(ge=1, le=_QUANTITY_LIMIT, examples=[48])
    reason: str = Field(default="received", min_length=1, max_length=200, examples=["delivery note 4711"])


class StockAdjustmentIn(_In):
    """A correction of the shelf."""

    variant_id: Id = Field(examples=[7])
    location_id: Id | None = Field(default=None, description="The main store room by default", examples=[1])
    quantity: int = Field(
        ge=-_QUANTITY_LIMIT, le=_QUANTITY_LIMIT, description="Signed: negative takes off the shelf", examples=[-2]
    )
    reason: str = Field(min_length=1, max_length=200, examples=["broken in the store room"])


class CountIn(_In):
    """What somebody counted on the shelf."""

    variant_id: Id = Field(examples=[7])
    location_id: Id | None = Field(default=None, description="The main store room by default", examples=[1])
    counted: Units = Field(examples=[46])
    reason: str = Field(min_length=1, max_length=120, examples=["yearly stock-taking"])


class TransferIn(_In):
    """Units that go to another location."""

    variant_id: Id = Field(examples=[7])
    from_location_id: Id = Field(examples=[1])
    to_location_id: Id = Field(examples=[2])
    quantity: int = Field(ge=1, le=_QUANTITY_LIMIT, examples=[12])
    reason: str = Field(min_length=1, max_length=200, examples=["the fair in Pune"])


class LocationPatch(_In):
    """What changes of a location; absent fields stay."""

    name: str = Field(default="", min_length=1, max_length=120, examples=["Store room at the back"])
    address: str = Field(default="", max_length=300, examples=["12 MG Road"])
    city: str = Field(default="", max_length=120, examples=["Bengaluru"])
    postal_code: str | None = Field(default=None, max_length=12, pattern=r"^[0-9A-Za-z -]+$", examples=["560001"])
    is_active: bool = Field(default=True, description="Nothing new is promised from one that is not", examples=[True])
    priority: int = Field(default=100, ge=0, le=10_000, description="The lowest serves first", examples=[100])


class LocationIn(LocationPatch):
    """A new location."""

    code: str = Field(min_length=1, max_length=32, examples=["BLR2"])
    name: str = Field(min_length=1, max_length=120, examples=["Second store room"])


class LevelRulesIn(_In):
    """A level's rules; absent ones stay."""

    threshold: int = Field(
        default=0,
        ge=-_QUANTITY_LIMIT,
        le=_QUANTITY_LIMIT,
        description="Kept back; negative allows back-orders up to that number",
        examples=[0],
    )
    low_stock_level: Units = Field(default=0, description="Alert below so many; 0: never", examples=[5])
    backorder_limit: Units | None = Field(
        default=None, description="Of a variant that may be back-ordered; null: no limit", examples=[20]
    )
    reorder_policy: ReorderPolicy = Field(default=ReorderPolicy.OFF, examples=["forecast"])
    reorder_point: Units = Field(default=0, description="For the policy `fixed`", examples=[24])
    service_level_bp: int = Field(default=9_500, ge=1, le=9_999, description="Basis points", examples=[9_500])


class BundleIn(_In):
    """What one bundle is made of."""

    components: dict[Id, Annotated[int, Field(ge=1, le=1_000)]] = Field(
        min_length=1, max_length=100, description="Units by variant", examples=[{"7": 2, "9": 1}]
    )


class BundleOut(BaseModel):
    """What one bundle is made of, and how many can be sold now."""

    variant_id: int = Field(examples=[12])
    components: dict[int, int] = Field(examples=[{"7": 2, "9": 1}])
    saleable: int | None = Field(description="null: no limit", examples=[8])

    @classmethod
    def of(cls, variant_id: int, components: Mapping[int, int], saleable: int | None) -> "BundleOut":
        """From what the services say."""
        return cls(variant_id=variant_id, components=dict(components), saleable=saleable)


class LocationOut(BaseModel):
    """A place where stock lies."""

    model_config = ConfigDict(from_attributes=True)

    id: int = Field(examples=[1])
    code: str = Field(examples=["MAIN"])
    name: str = Field(examples=["Main store room"])
    address: str = Field(examples=["12 MG Road"])
    city: str = Field(examples=["Bengaluru"])
    postal_code: str | None = Field(examples=["560001"])
    is_active: bool = Field(examples=[True])
    priority: int = Field(description="The lowest serves first", examples=[100])

    @classmethod
    def of(cls, location: Location) -> "LocationOut":
        """From the row."""
        return cls.model_validate(location)


class LevelOut(BaseModel):
    """What lies at a location and what of it is promised to orders."""

    variant_id: int = Field(examples=[7])
    location_id: int = Field(examples=[1])
    on_hand: int = Field(examples=[48])
    reserved: int = Field(examples=[3])
    threshold: int = Field(description="Kept back; negative allows back-orders up to that number", examples=[0])
    free: int = Field(description="on_hand − reserved − threshold", examples=[45])
    low_stock_level: int = Field(description="Alert below so many; 0: never", examples=[5])
    backorder_limit: int | None = Field(description="null: no limit, where back-orders are allowed", examples=[20])
    reorder_policy: ReorderPolicy = Field(examples=["forecast"])
    reorder_point: int = Field(examples=[24])
    service_level_bp: int = Field(examples=[9_500])

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
            low_stock_level=level.low_stock_level,
            backorder_limit=level.backorder_limit,
            reorder_policy=level.reorder_policy,
            reorder_point=level.reorder_point,
            service_level_bp=level.service_level_bp,
        )


class MovementOut(BaseModel):
    """One entry of the stock ledger."""

    model_config = ConfigDict(from_attributes=True)

    id: int = Field(examples=[120])
    variant_id: int = Field(examples=[7])
    location_id: int = Field(examples=[1])
    kind: MovementKind = Field(examples=["receipt"])
    quantity: int = Field(description="Signed: positive onto the shelf", examples=[48])
    order_line_id: int | None = Field(examples=[None])
    return_line_id: int | None = Field(examples=[None])
    purchase_receipt_line_id: int | None = Field(examples=[31])
    transfer_id: int | None = Field(examples=[None])
    reason: str = Field(examples=["delivery note 4711"])
    occurred_at: datetime = Field(examples=["2026-01-15T10:00:00Z"])

    @classmethod
    def of(cls, movement: StockMovement) -> "MovementOut":
        """From the row."""
        return cls.model_validate(movement)


class CountOut(BaseModel):
    """What a count changed."""

    adjustment: MovementOut | None = Field(description="null where the books were right")

    @classmethod
    def of(cls, movement: StockMovement | None) -> "CountOut":
        """From the adjustment, if there was one."""
        return cls(adjustment=None if movement is None else MovementOut.of(movement))


class TransferOut(BaseModel):
    """Units that went to another location."""

    model_config = ConfigDict(from_attributes=True)

    id: int = Field(examples=[4])
    variant_id: int = Field(examples=[7])
    from_location_id: int = Field(examples=[1])
    to_location_id: int = Field(examples=[2])
    quantity: int = Field(examples=[12])
    reason: str = Field(examples=["the fair in Pune"])
    occurred_at: datetime = Field(examples=["2026-01-15T10:00:00Z"])

    @classmethod
    def of(cls, transfer: StockTransfer) -> "TransferOut":
        """From the row."""
        return cls.model_validate(transfer)


class HoldOut(BaseModel):
    """Units promised to an order."""

    model_config = ConfigDict(from_attributes=True)

    id: int = Field(examples=[88])
    order_id: int = Field(examples=[15])
    variant_id: int = Field(examples=[7])
    bundle_variant_id: int | None = Field(description="The bundle that it is a part of", examples=[None])
    location_id: int = Field(examples=[1])
    quantity: int = Field(examples=[2])
    state: HoldState = Field(examples=["live"])
    created_at: datetime = Field(examples=["2026-01-15T10:00:00Z"])
    expires_at: datetime | None = Field(description="null once the order is paid", examples=["2026-01-15T10:15:00Z"])
    closed_at: datetime | None = Field(examples=[None])

    @classmethod
    def of(cls, hold: StockHold) -> "HoldOut":
        """From the row."""
        return cls.model_validate(hold)


class AlertOut(BaseModel):
    """A level that fell below its mark."""

    model_config = ConfigDict(from_attributes=True)

    id: int = Field(examples=[3])
    variant_id: int = Field(examples=[7])
    location_id: int = Field(examples=[1])
    low_stock_level: int = Field(examples=[5])
    saleable: int = Field(description="At the crossing", examples=[4])
    opened_at: datetime = Field(examples=["2026-01-15T10:00:00Z"])
    closed_at: datetime | None = Field(description="null while it lasts", examples=[None])

    @classmethod
    def of(cls, alert: StockAlert) -> "AlertOut":
        """From the row."""
        return cls.model_validate(alert)


class PositionOut(BaseModel):
    """What lay at a level at a moment, told from movements and holds."""

    variant_id: int = Field(examples=[7])
    location_id: int = Field(examples=[1])
    at: datetime = Field(examples=["2026-01-15T10:00:00Z"])
    on_hand: int = Field(examples=[48])
    reserved: int = Field(examples=[3])

    @classmethod
    def of(cls, variant_id: int, location_id: int, at: datetime, position: Position) -> "PositionOut":
        """From what the ledger says."""
        return cls(
            variant_id=variant_id,
            location_id=location_id,
            at=at,
            on_hand=position.on_hand,
            reserved=position.reserved,
        )
