"""Change sets over the wire. Amounts are integers in the currency's minor unit."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from transactional.core.addresses import AddressIn
from transactional.orders.change_drafts import AddedUnits, WantedChange
from transactional.orders.change_models import ChangeKind, ChangeStatus, OrderChange, OrderChangeLine

_NO_NUL = r"^[^\x00]*$"


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class RemoveIn(_In):
    """Units of a line that shall go."""

    order_line_id: int = Field(gt=0, lt=2**63, examples=[210])
    quantity: int = Field(gt=0, le=10_000, examples=[1])


class AddIn(_In):
    """Units of a variant that shall come."""

    variant_id: int = Field(gt=0, lt=2**63, examples=[7])
    quantity: int = Field(gt=0, le=10_000, examples=[1])
    customisation: dict[str, Any] = Field(default_factory=dict, examples=[{"engraving": "For Mā"}])


class ChangeIn(_In):
    """What shall be different about an order that was not sent."""

    remove: list[RemoveIn] = Field(default_factory=list, max_length=100)
    add: list[AddIn] = Field(default_factory=list, max_length=50)
    ship_to: AddressIn | None = None
    reason: str = Field(default="", max_length=200, pattern=_NO_NUL, examples=["one more for my sister"])

    @field_validator("remove")
    @classmethod
    def _each_line_once(cls, remove: list[RemoveIn]) -> list[RemoveIn]:
        if len({part.order_line_id for part in remove}) != len(remove):
            raise ValueError("name each line once")
        return remove

    def wanted(self) -> WantedChange:
        """As the service takes it."""
        return WantedChange(
            remove={part.order_line_id: part.quantity for part in self.remove},
            add=[AddedUnits(part.variant_id, part.quantity, part.customisation) for part in self.add],
            ship_to=None if self.ship_to is None else self.ship_to.model_dump(exclude_none=True),
        )


class ChangeLineOut(BaseModel):
    """One part of a change."""

    action: Literal["add", "remove"] = Field(examples=["add"])
    order_line_id: int | None = Field(examples=[210])
    variant_id: int = Field(examples=[7])
    sku: str = Field(examples=["DIYA-12"])
    title: str = Field(examples=["Hand-painted diya set"])
    quantity: int = Field(examples=[1])
    unit_price_minor: int = Field(examples=[79_900])
    net_minor: int = Field(description="Added: its price. Removed: its frozen price", examples=[79_900])

    @classmethod
    def of(cls, line: OrderChangeLine) -> "ChangeLineOut":
        """From the row."""
        return cls(**{name: getattr(line, name) for name in cls.model_fields})


class ChangeOut(BaseModel):
    """A change set: what is different, and the money that follows."""

    id: str = Field(examples=["chg_7h2k9m4q1x8c5v3b6n0z7w2r4t"])
    kind: ChangeKind = Field(examples=["edit"])
    status: ChangeStatus = Field(examples=["draft"])
    reason: str = Field(examples=["one more for my sister"])
    currency: str = Field(examples=["INR"])
    added_minor: int = Field(examples=[79_900])
    given_up_minor: int = Field(examples=[0])
    difference_minor: int = Field(
        description="Positive: to be paid before it happens. Negative: goes back when it has happened",
        examples=[79_900],
    )
    shipping_minor: int = Field(
        description="What sending to the new address costs more (negative: less); part of the difference", examples=[0]
    )
    ship_to: dict[str, Any] | None = Field(examples=[None])
    created_at: datetime = Field(examples=["2026-01-15T12:00:00Z"])
    expires_at: datetime | None = Field(description="When it is given up", examples=["2026-01-16T12:00:00Z"])
    applied_at: datetime | None = Field(examples=[None])
    declined_at: datetime | None = Field(examples=[None])
    lines: list[ChangeLineOut]

    @classmethod
    def of(cls, change: OrderChange, lines: Sequence[OrderChangeLine]) -> "ChangeOut":
        """From the rows."""
        return cls(
            id=change.public_id,
            kind=change.kind,
            status=change.status,
            reason=change.reason,
            currency=change.currency,
            added_minor=change.added_minor,
            given_up_minor=change.given_up_minor,
            difference_minor=change.difference_minor,
            shipping_minor=change.shipping_minor,
            ship_to=change.ship_to,
            created_at=change.created_at,
            expires_at=change.expires_at,
            applied_at=change.applied_at,
            declined_at=change.declined_at,
            lines=[ChangeLineOut.of(line) for line in lines],
        )
