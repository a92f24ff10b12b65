"""Procurement over the wire. Costs are in minor units, quantities in the shop's own units."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, Field

from transactional.suppliers.models import (
    PurchaseOrder,
    PurchaseOrderLine,
    PurchaseOrigin,
    PurchaseReceipt,
    PurchaseReceiptLine,
    PurchaseStatus,
    RequirementSource,
    RequirementState,
    StockRequirement,
)
from transactional.suppliers.reorder import Inputs, Suggestion, in_words
from transactional.suppliers.schemas import MOST, Id, In, Row, Units


class PurchaseLineIn(In):
    """So many units of an article."""

    supplier_product_id: Id = Field(examples=[9])
    quantity: int = Field(ge=1, le=MOST, description="Whole packs, at least the minimum", examples=[48])


class PurchaseQuantityIn(In):
    """So many units."""

    quantity: int = Field(ge=1, le=MOST, description="Whole packs, at least the minimum", examples=[48])


class OrderIn(In):
    """A draft."""

    supplier_id: Id = Field(examples=[3])
    location_id: Id | None = Field(default=None, description="The main store room by default", examples=[1])
    currency: str = Field(default="INR", pattern=r"^[A-Z]{3}$", examples=["INR"])
    note: str = Field(default="", max_length=500, examples=["for Diwali"])
    lines: list[PurchaseLineIn] = Field(default_factory=list, max_length=500)


class ReasonIn(In):
    """Why."""

    reason: str = Field(min_length=1, max_length=200, examples=["the rest is sold out"])


class PurchaseLineOut(Row):
    """An article on an order."""

    id: int = Field(examples=[41])
    supplier_product_id: int = Field(examples=[9])
    variant_id: int = Field(examples=[7])
    quantity: int = Field(examples=[48])
    unit_cost_minor: int | None = Field(description="null in a draft", examples=[18_500])
    tolerance: int = Field(examples=[2])
    received_quantity: int = Field(examples=[36])
    damaged_quantity: int = Field(examples=[1])
    short_quantity: int = Field(examples=[0])
    is_edited: bool = Field(description="The reorder job leaves it alone", examples=[False])
    inputs: dict[str, Any] = Field(
        description="What the reorder formula was given and gave", examples=[{"on_hand": 12, "reserved": 3}]
    )


class PurchaseOrderOut(Row):
    """A procurement order."""

    id: int = Field(examples=[6])
    purchase_number: str = Field(examples=["PO-000006"])
    supplier_id: int = Field(examples=[3])
    location_id: int = Field(examples=[1])
    currency: str = Field(examples=["INR"])
    status: PurchaseStatus = Field(examples=["placed"])
    origin: PurchaseOrigin = Field(examples=["reorder"])
    note: str = Field(examples=["for Diwali"])
    created_at: datetime = Field(examples=["2026-01-15T10:00:00Z"])
    placed_at: datetime | None = Field(examples=["2026-01-15T12:00:00Z"])
    expected_at: datetime | None = Field(examples=["2026-01-29T12:00:00Z"])
    received_at: datetime | None = Field(examples=[None])
    closed_at: datetime | None = Field(examples=[None])
    cancelled_at: datetime | None = Field(examples=[None])
    closing_reason: str | None = Field(examples=[None])

    @classmethod
    def of(cls, order: PurchaseOrder) -> "PurchaseOrderOut":
        """From the row."""
        return cls.model_validate(order)


class OrderDetailOut(PurchaseOrderOut):
    """A procurement order with its lines."""

    lines: list[PurchaseLineOut]

    @classmethod
    def with_lines(cls, order: PurchaseOrder, lines: Iterable[PurchaseOrderLine]) -> "OrderDetailOut":
        """From the rows."""
        shown = [PurchaseLineOut.model_validate(line) for line in lines]
        return cls(**PurchaseOrderOut.of(order).model_dump(), lines=shown)


class ArrivedIn(In):
    """What came of a line."""

    line_id: Id = Field(examples=[41])
    quantity: Units = Field(default=0, description="Good units, for the shelf", examples=[36])
    damaged: Units = Field(default=0, examples=[1])
    short: Units = Field(default=0, description="Will not come any more", examples=[0])


class DeliveryIn(In):
    """A delivery."""

    location_id: Id | None = Field(default=None, description="The order's by default", examples=[1])
    delivery_note: str = Field(default="", max_length=120, examples=["DN 4711"])
    lines: list[ArrivedIn] = Field(min_length=1, max_length=500)


class ReceiptLineOut(Row):
    """What came of a line."""

    id: int = Field(examples=[77])
    purchase_order_line_id: int = Field(examples=[41])
    quantity: int = Field(examples=[36])
    damaged_quantity: int = Field(examples=[1])
    short_quantity: int = Field(examples=[0])


class ReceiptOut(BaseModel):
    """A delivery that was booked."""

    id: int = Field(examples=[12])
    purchase_order_id: int = Field(examples=[6])
    location_id: int = Field(examples=[1])
    delivery_note: str = Field(examples=["DN 4711"])
    received_by: str = Field(examples=["user:4"])
    received_at: datetime = Field(examples=["2026-01-28T09:30:00Z"])
    lines: list[ReceiptLineOut]

    @classmethod
    def of(cls, receipt: PurchaseReceipt, lines: Iterable[PurchaseReceiptLine]) -> "ReceiptOut":
        """From the rows."""
        return cls(
            id=receipt.id,
            purchase_order_id=receipt.purchase_order_id,
            location_id=receipt.location_id,
            delivery_note=receipt.delivery_note,
            received_by=receipt.received_by,
            received_at=receipt.received_at,
            lines=[ReceiptLineOut.model_validate(line) for line in lines],
        )


class InputsOut(Row):
    """What a suggestion follows from, and what follows from it."""

    as_of: str = Field(examples=["2026-01-15T10:00:00+00:00"])
    variant_id: int = Field(examples=[7])
    location_id: int = Field(examples=[1])
    policy: str = Field(examples=["forecast"])
    on_hand: int = Field(examples=[12])
    reserved: int = Field(examples=[3])
    on_order: int = Field(examples=[0])
    demand_days: int = Field(examples=[90])
    demand_units: int = Field(examples=[180])
    demand_squares: int = Field(description="Σ of the squares of each day's units", examples=[520])
    lead_time_days: int = Field(examples=[14])
    service_level_bp: int = Field(examples=[9_500])
    reorder_point: int = Field(examples=[0])
    pack_size: int = Field(examples=[12])
    minimum_quantity: int = Field(examples=[24])
    demand_over_lead_time: float = Field(examples=[28.0])
    safety_stock: float = Field(examples=[8.242])
    target: int = Field(examples=[37])
    projected: int = Field(examples=[9])
    quantity: int = Field(examples=[36])


class SuggestionOut(BaseModel):
    """What to buy for a level, and why."""

    supplier_product_id: int | None = Field(description="null where nobody sells it to the shop", examples=[9])
    supplier_id: int | None = Field(examples=[3])
    quantity: int = Field(examples=[36])
    inputs: InputsOut
    in_words: str = Field(examples=["12 on hand − 3 reserved + 0 on order = 9 units; wanted: …"])

    @classmethod
    def of(cls, suggestion: Suggestion) -> "SuggestionOut":
        """From the suggestion."""
        product = suggestion.product
        return cls(
            supplier_product_id=product.id if product else None,
            supplier_id=product.supplier_id if product else None,
            quantity=suggestion.quantity,
            inputs=InputsOut.model_validate(suggestion.inputs),
            in_words=in_words(suggestion.inputs),
        )


class ExplanationOut(BaseModel):
    """A draft line's formula as it was stored, beside the same told again from the ledgers."""

    stored: InputsOut
    told_again: InputsOut
    agrees: bool = Field(examples=[True])
    in_words: str = Field(examples=["12 on hand − 3 reserved + 0 on order = 9 units; wanted: …"])

    @classmethod
    def of(cls, stored: Inputs, again: Inputs) -> "ExplanationOut":
        """From both."""
        return cls(
            stored=InputsOut.model_validate(stored),
            told_again=InputsOut.model_validate(again),
            agrees=stored == again,
            in_words=in_words(stored),
        )


class DraftedOut(Row):
    """What a run of the reorder job changed."""

    written: int = Field(examples=[4])
    removed: int = Field(examples=[0])


class RequirementIn(In):
    """Units that are needed by a day."""

    variant_id: Id = Field(examples=[7])
    location_id: Id | None = Field(default=None, description="The main store room by default", examples=[1])
    quantity: int = Field(ge=1, le=MOST, examples=[60])
    needed_by: date = Field(examples=["2026-10-20"])
    note: str = Field(default="", max_length=200, examples=["wedding of the Raos"])


class RequirementOut(Row):
    """Units that are needed by a day, and the line that brings them."""

    id: int = Field(examples=[17])
    variant_id: int = Field(examples=[7])
    location_id: int = Field(examples=[1])
    quantity: int = Field(examples=[60])
    source: RequirementSource = Field(examples=["manual"])
    order_id: int | None = Field(examples=[None])
    needed_by: date = Field(examples=["2026-10-20"])
    state: RequirementState = Field(examples=["open"])
    purchase_order_line_id: int | None = Field(examples=[41])
    note: str = Field(examples=["wedding of the Raos"])
    created_at: datetime = Field(examples=["2026-01-15T10:00:00Z"])
    closed_at: datetime | None = Field(examples=[None])

    @classmethod
    def of(cls, requirement: StockRequirement) -> "RequirementOut":
        """From the row."""
        return cls.model_validate(requirement)
