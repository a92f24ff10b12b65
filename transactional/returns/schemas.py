"""Returns over the wire."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from transactional.orders.service import AddedUnits
from transactional.returns.service import Return, ReturnCause, ReturnLine, ReturnStatus


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class ReturnLineIn(_In):
    """Units of one line of the order."""

    order_line_id: int = Field(gt=0, lt=2**63, examples=[812])
    quantity: int = Field(gt=0, le=10_000, examples=[1])


class ExchangeIn(_In):
    """Units that shall come instead."""

    variant_id: int = Field(gt=0, lt=2**63, examples=[7])
    quantity: int = Field(gt=0, le=10_000, examples=[1])
    customisation: dict[str, Any] = Field(default_factory=dict, examples=[{}])

    def wanted(self) -> AddedUnits:
        """As the service takes it."""
        return AddedUnits(self.variant_id, self.quantity, self.customisation)


class ReturnIn(_In):
    """What the customer wants to send back."""

    order_number: str = Field(
        max_length=40, description="Number of one's own order, or the id of a guest's", examples=["MLT-2026-000123"]
    )
    lines: list[ReturnLineIn] = Field(min_length=1, max_length=100)
    cause: ReturnCause = Field(
        default=ReturnCause.CHANGED_MIND,
        description="Whose matter it is: where it is the shop's, shipping goes back with the last unit",
        examples=["changed_mind"],
    )
    reason: str = Field(default="", max_length=200, examples=["The lamp does not fit on the shelf"])
    exchange_for: list[ExchangeIn] = Field(
        default_factory=list,
        max_length=50,
        description="An exchange: what shall come instead, at the prices of now. The difference is settled on arrival",
    )

    @field_validator("lines")
    @classmethod
    def _each_line_once(cls, lines: list[ReturnLineIn]) -> list[ReturnLineIn]:
        if len({line.order_line_id for line in lines}) != len(lines):
            raise ValueError("name each line once")
        return lines


class DecisionIn(_In):
    """A word to the customer."""

    note: str | None = Field(default=None, max_length=200, examples=["Please use the label that we sent you."])


class ProcessIn(_In):
    """What arrived."""

    damaged: list[int] = Field(
        default_factory=list, max_length=100, description="Lines of the return that cannot be sold again", examples=[[]]
    )


class ReturnLineOut(BaseModel):
    """Units that come back, with their money once they are processed."""

    id: int = Field(examples=[31])
    order_line_id: int | None = Field(examples=[812])
    product_id: int = Field(examples=[77])
    quantity: int = Field(examples=[1])
    refund_minor: int = Field(description="In minor units; 0 until the return is processed", examples=[33_333])


class ReturnOut(BaseModel):
    """A return."""

    id: str = Field(examples=["ret_7h2k9m4q1x8c5v3b6n0z7w2r4t"])
    status: ReturnStatus
    cause: ReturnCause = Field(examples=["changed_mind"])
    reason: str = Field(examples=["The lamp does not fit on the shelf"])
    decision_note: str | None = Field(examples=["Please use the label that we sent you."])
    is_exchange: bool = Field(description="What the units were worth pays for others first", examples=[False])
    refund_minor: int = Field(
        description="In minor units; 0 until the return is processed. The lines' money, and what the policies on"
        " shipping and coupons added or withheld",
        examples=[33_333],
    )
    currency: str = Field(examples=["INR"])
    requested_at: datetime
    decided_at: datetime | None
    processed_at: datetime | None

    @classmethod
    def of(cls, found: Return) -> "ReturnOut":
        """From the row."""
        return cls.model_validate(_columns(found))


class ReturnDetail(ReturnOut):
    """A return with its lines."""

    lines: list[ReturnLineOut]

    @classmethod
    def build(cls, found: Return, lines: Sequence[ReturnLine]) -> "ReturnDetail":
        """From the rows."""
        shaped = [
            ReturnLineOut(
                id=line.id,
                order_line_id=line.order_line_id,
                product_id=line.product_id,
                quantity=line.quantity,
                refund_minor=line.refund_minor,
            )
            for line in lines
        ]
        return cls.model_validate({**_columns(found), "lines": shaped})


def _columns(found: Return) -> dict[str, object]:
    names = (
        "status",
        "cause",
        "reason",
        "decision_note",
        "refund_minor",
        "currency",
        "requested_at",
        "decided_at",
        "processed_at",
    )
    own = {"id": found.public_id, "is_exchange": found.exchange_change_id is not None}
    return {**own, **{name: getattr(found, name) for name in names}}
