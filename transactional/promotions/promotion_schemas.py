"""Promotions, their versions, batches and groups over the wire. Amounts are integers in the currency's minor unit."""

from datetime import datetime
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from transactional.promotions.codes import MAX_BATCH
from transactional.promotions.lifecycle import Figures, Terms
from transactional.promotions.models import (
    CouponBatch,
    CustomerGroup,
    GroupSource,
    Promotion,
    PromotionStatus,
    PromotionVersion,
)

_CODE = r"^[A-Za-z0-9_-]+$"
_NO_NUL = r"^[^\x00]*$"
_RULE = {
    "kind": "percentage",
    "args": {"bp": 1_000, "cap_minor": 50_000},
    "conditions": [{"kind": "min_spend", "args": {"amount_minor": 99_900}}],
    "discount_class": "order",
    "combines_with": ["shipping"],
}


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class PromotionIn(_In):
    """What a promotion is. `rule` names one action, its conditions, and what it combines with."""

    name: str = Field(min_length=1, max_length=120, pattern=_NO_NUL, examples=["Ten percent for Diwali"])
    rule: dict[str, Any] = Field(
        description="`kind` and `args` of the action (percentage, fixed, free_shipping, cheapest_item, buy_x_get_y),"
        " `conditions`, `discount_class` (product, order or shipping), `priority`, `combines_with`, `exclusive`",
        examples=[_RULE],
    )
    starts_at: AwareDatetime = Field(examples=["2026-10-15T00:00:00+05:30"])
    ends_at: AwareDatetime | None = Field(default=None, examples=["2026-11-10T00:00:00+05:30"])
    is_automatic: bool = Field(default=False, description="Offered to everybody; else it needs a code", examples=[True])
    usage_limit: int | None = Field(default=None, ge=1, le=10**9, examples=[500])
    per_customer_limit: int | None = Field(default=None, ge=1, le=10**6, examples=[1])
    frees_on_full_refund: bool = Field(default=False, description="Whether a full refund frees the use")
    holdout_bp: int = Field(
        default=0, ge=0, le=9_999, description="Basis points of people who are left out, to measure", examples=[500]
    )

    def terms(self) -> Terms:
        """Everything but the rule."""
        return Terms(**self.model_dump(exclude={"rule"}))


class PromotionMoveIn(_In):
    """Where a promotion shall go."""

    status: Literal["scheduled", "active", "paused", "ended"] = Field(examples=["scheduled"])


class CodeIn(_In):
    """A code for a promotion. `overdraft_limit`: uses beyond the limit for shoppers who were told that it is good."""

    code: str = Field(min_length=1, max_length=40, pattern=_CODE, examples=["DIWALI10"])
    usage_limit: int | None = Field(default=None, ge=1, le=10**9, examples=[500])
    per_customer_limit: int | None = Field(default=None, ge=1, le=10**6, examples=[1])
    overdraft_limit: int = Field(default=0, ge=0, le=10**6, examples=[20])
    frees_on_full_refund: bool = False


class CodeBatchIn(_In):
    """Codes that count once each."""

    name: str = Field(min_length=1, max_length=120, pattern=_NO_NUL, examples=["Newsletter, October"])
    quantity: int = Field(ge=1, le=MAX_BATCH, examples=[500])
    prefix: str = Field(default="", max_length=27, pattern=r"^[A-Za-z0-9_-]*$", examples=["DIWALI"])


class PromotionOut(BaseModel):
    """A promotion with what it has given so far."""

    id: int = Field(examples=[12])
    name: str = Field(examples=["Ten percent for Diwali"])
    status: PromotionStatus = Field(examples=["active"])
    version: int = Field(examples=[2])
    kind: str = Field(examples=["percentage"])
    discount_class: str = Field(examples=["order"])
    priority: int = Field(examples=[0])
    is_automatic: bool = Field(examples=[True])
    starts_at: datetime = Field(examples=["2026-10-14T18:30:00Z"])
    ends_at: datetime | None = Field(examples=["2026-11-09T18:30:00Z"])
    usage_limit: int | None = Field(examples=[500])
    per_customer_limit: int | None = Field(examples=[1])
    used: int = Field(description="Live uses, where the promotion itself has a limit", examples=[37])
    frees_on_full_refund: bool
    holdout_bp: int = Field(examples=[500])
    orders: int = Field(description="Orders that it lowered", examples=[120])
    discount_minor: int = Field(description="What it has given in all", examples=[1_250_000])
    codes: int = Field(examples=[1])
    code_uses: int = Field(description="Live uses of its codes", examples=[37])

    @classmethod
    def of(cls, promotion: Promotion, figures: Figures) -> "PromotionOut":
        """From the row and its figures."""
        counted = {"orders", "discount_minor", "codes", "code_uses"}
        own = {name: getattr(promotion, name) for name in cls.model_fields if name not in counted}
        return cls(**own, **{name: getattr(figures, name) for name in counted})


class VersionOut(BaseModel):
    """What a promotion gave from a moment on."""

    version: int = Field(examples=[2])
    rule: dict[str, Any] = Field(examples=[_RULE])
    valid_from: datetime = Field(examples=["2026-10-20T06:00:00Z"])
    actor: str = Field(examples=["user:3"])

    @classmethod
    def of(cls, row: PromotionVersion) -> "VersionOut":
        """From the row."""
        return cls(version=row.version, rule=row.rule, valid_from=row.valid_from, actor=row.actor)


class CodeBatchOut(BaseModel):
    """A batch with its codes."""

    id: int = Field(examples=[4])
    promotion_id: int = Field(examples=[12])
    name: str = Field(examples=["Newsletter, October"])
    quantity: int = Field(examples=[2])
    codes: list[str] = Field(examples=[["DIWALI-7KQ2MXB94TRD", "DIWALI-P3W8ZC6HNV5F"]])
    used: int = Field(description="How many of them are used", examples=[0])

    @classmethod
    def of(cls, batch: CouponBatch, codes: list[str], used: int) -> "CodeBatchOut":
        """From the row and its codes."""
        return cls(
            id=batch.id,
            promotion_id=batch.promotion_id,
            name=batch.name,
            quantity=batch.quantity,
            codes=codes,
            used=used,
        )


class GroupIn(_In):
    """A customer group, or a segment of the warehouse."""

    name: str = Field(min_length=1, max_length=120, pattern=_NO_NUL, examples=["Corporate"])
    description: str | None = Field(default=None, max_length=300, pattern=_NO_NUL, examples=["Companies with a GSTIN"])
    source: GroupSource = Field(default=GroupSource.MANUAL, examples=["manual"])


class MembersIn(_In):
    """Who belongs to a group from now on."""

    customer_ids: list[int] = Field(max_length=100_000, examples=[[7, 12]])


class GroupOut(BaseModel):
    """A group and how many belong to it now."""

    name: str = Field(examples=["Corporate"])
    description: str | None = Field(examples=["Companies with a GSTIN"])
    source: GroupSource = Field(examples=["manual"])
    members: int = Field(examples=[2])

    @classmethod
    def of(cls, group: CustomerGroup, members: int) -> "GroupOut":
        """From the row."""
        return cls(name=group.name, description=group.description, source=group.source, members=members)


class FloorIn(_In):
    """The least that a unit may cost after offers; 0 takes the floor away."""

    currency: str = Field(pattern=r"^[A-Z]{3}$", examples=["INR"])
    floor_minor: int = Field(ge=0, le=10**15, examples=[45_000])
