"""Coupons over the wire. Amounts are integers in the currency's minor unit."""

from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from transactional.promotions.models import CouponCode, Promotion, PromotionStatus


class NewCouponIn(BaseModel):
    """A new percentage coupon."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    code: str = Field(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9_-]+$", examples=["DIWALI10"])
    name: str | None = Field(default=None, min_length=1, max_length=120, examples=["Ten percent for Diwali"])
    percent_bp: int = Field(ge=1, le=10_000, description="Basis points: 1000 is 10 %", examples=[1000])
    max_discount_minor: int | None = Field(default=None, ge=1, le=10**15, examples=[50_000])
    min_spend_minor: int = Field(default=0, ge=0, le=10**15, examples=[99_900])
    starts_at: AwareDatetime = Field(examples=["2026-10-15T00:00:00+05:30"])
    ends_at: AwareDatetime | None = Field(default=None, examples=["2026-11-10T00:00:00+05:30"])
    usage_limit: int | None = Field(default=None, ge=1, le=10**9, examples=[500])
    per_customer_limit: int | None = Field(default=None, ge=1, le=10**6, examples=[1])
    frees_on_full_refund: bool = Field(default=False, description="Whether a full refund frees the use")
    overdraft_limit: int = Field(
        default=0,
        ge=0,
        le=10**6,
        description="Uses beyond the limit for shoppers who were told that the code is good a short while before",
        examples=[20],
    )


class CouponStatusIn(BaseModel):
    """Where a promotion shall go."""

    model_config = ConfigDict(extra="forbid")

    status: Literal["active", "paused", "ended"] = Field(examples=["paused"])


class CouponOut(BaseModel):
    """A code with its promotion."""

    code: str = Field(examples=["DIWALI10"])
    name: str = Field(examples=["Ten percent for Diwali"])
    status: PromotionStatus = Field(examples=["active"])
    percent_bp: int | None = Field(examples=[1000])
    max_discount_minor: int | None = Field(examples=[50_000])
    min_spend_minor: int = Field(examples=[99_900])
    starts_at: datetime = Field(examples=["2026-10-14T18:30:00Z"])
    ends_at: datetime | None = Field(examples=["2026-11-09T18:30:00Z"])
    usage_limit: int | None = Field(examples=[500])
    per_customer_limit: int | None = Field(examples=[1])
    overdraft_limit: int = Field(description="Uses beyond the limit that may be honoured", examples=[0])
    overdrawn: int = Field(description="Of these, how many are used", examples=[0])
    used: int = Field(description="Uses that are reserved or redeemed", examples=[37])

    @classmethod
    def of(cls, promotion: Promotion, coupon: CouponCode) -> "CouponOut":
        """From the rows."""
        return cls(
            code=coupon.code,
            name=promotion.name,
            status=promotion.status,
            percent_bp=promotion.percent_bp,
            max_discount_minor=promotion.max_discount_minor,
            min_spend_minor=promotion.min_spend_minor,
            starts_at=promotion.starts_at,
            ends_at=promotion.ends_at,
            usage_limit=coupon.usage_limit,
            per_customer_limit=coupon.per_customer_limit,
            overdraft_limit=coupon.overdraft_limit,
            overdrawn=0 if coupon.usage_limit is None else max(0, coupon.used - coupon.usage_limit),
            used=coupon.used,
        )
