"""Affiliates over the wire, as staff see and make them. Amounts are integers in the currency's minor unit."""

from datetime import datetime

from pydantic import AwareDatetime, BaseModel, Field

from transactional.affiliates.models import (
    Affiliate,
    AffiliateProgramme,
    AffiliateStatus,
    ClickRule,
    PayoutBatch,
    ProgrammeVersion,
    ReferralTerms,
    RewardKind,
    Winner,
)
from transactional.affiliates.schemas import In
from transactional.core.money import BASIS_POINTS

_NO_NUL = r"^[^\x00]*$"


class ProgrammeIn(In):
    """A new programme."""

    key: str = Field(min_length=2, max_length=40, pattern=r"^[a-z0-9][a-z0-9-]*$", examples=["friends"])
    name: str = Field(min_length=1, max_length=120, pattern=_NO_NUL, examples=["Friends of the shop"])


class CommissionRateIn(In):
    """A rate for an affiliate, a category (with all below it), or both."""

    affiliate: str | None = Field(default=None, max_length=40, examples=["aff_7h2k9m4q1x8c5v3b6n0z7w2r4t"])
    category_id: int | None = Field(default=None, ge=1, lt=2**63, examples=[3])
    rate_bp: int = Field(ge=0, le=BASIS_POINTS, examples=[1_500])


class AffiliateVersionIn(In):
    """What the programme says from a moment on. The click rule and the winner are chosen, not assumed."""

    rate_bp: int = Field(ge=0, le=BASIS_POINTS, examples=[1_000])
    window_days: int = Field(ge=1, le=3_650, examples=[30])
    click_rule: ClickRule = Field(examples=["last_click"])
    winner: Winner = Field(description="Of a code and a click that name two affiliates", examples=["code"])
    min_payout_minor: int = Field(ge=0, le=10**12, examples=[50_000])
    rates: list[CommissionRateIn] = Field(
        default_factory=list, max_length=500, examples=[[{"category_id": 3, "rate_bp": 1_500}]]
    )
    valid_from: AwareDatetime | None = Field(
        default=None, description="Now, where it is left out", examples=["2026-02-01T00:00:00Z"]
    )


class AffiliateVersionOut(BaseModel):
    """One version of a programme."""

    version: int = Field(examples=[1])
    rate_bp: int = Field(examples=[1_000])
    window_days: int = Field(examples=[30])
    click_rule: ClickRule = Field(examples=["last_click"])
    winner: Winner = Field(examples=["code"])
    min_payout_minor: int = Field(examples=[50_000])
    valid_from: datetime = Field(examples=["2026-01-01T00:00:00Z"])
    created_by: str = Field(examples=["user:1"])

    @classmethod
    def of(cls, version: ProgrammeVersion) -> "AffiliateVersionOut":
        """From the row."""
        return cls(**{name: getattr(version, name) for name in cls.model_fields})


class AffiliateProgrammeOut(BaseModel):
    """A programme with all its versions."""

    key: str = Field(examples=["friends"])
    name: str = Field(examples=["Friends of the shop"])
    versions: list[AffiliateVersionOut]

    @classmethod
    def of(cls, programme: AffiliateProgramme, versions: list[AffiliateVersionOut]) -> "AffiliateProgrammeOut":
        """From the row and its versions."""
        return cls(key=programme.key, name=programme.name, versions=versions)


class AffiliateDecisionIn(In):
    """A decision about an affiliate."""

    status: AffiliateStatus = Field(description="active, rejected or inactive", examples=["active"])
    note: str | None = Field(
        default=None,
        max_length=200,
        pattern=_NO_NUL,
        description="Needed to reject or deactivate",
        examples=["Welcome"],
    )


class StaffAffiliateOut(BaseModel):
    """An affiliate as staff see them."""

    id: str = Field(examples=["aff_7h2k9m4q1x8c5v3b6n0z7w2r4t"])
    customer_id: int = Field(examples=[12])
    status: AffiliateStatus = Field(examples=["active"])
    full_name: str = Field(examples=["Asha Rao"])
    website: str | None = Field(examples=["https://asha.example"])
    phone: str = Field(examples=["+919812345678"])
    line1: str = Field(examples=["12 MG Road"])
    line2: str | None = Field(examples=["Flat 3B"])
    postal_code: str = Field(examples=["560001"])
    country: str = Field(examples=["IN"])
    pay_to: str = Field(examples=["upi:asha@bank"])
    applied_at: datetime = Field(examples=["2026-01-15T10:00:00Z"])
    decided_at: datetime | None = Field(examples=["2026-01-16T10:00:00Z"])
    decided_by: str | None = Field(examples=["user:1"])
    decision_note: str | None = Field(examples=["Welcome"])

    @classmethod
    def of(cls, affiliate: Affiliate) -> "StaffAffiliateOut":
        """From the row."""
        fields = {name: getattr(affiliate, name) for name in cls.model_fields if name != "id"}
        return cls(id=affiliate.public_id, **fields)


class PayoutBatchIn(In):
    """Pay out what is approved."""

    programme: str = Field(max_length=40, examples=["friends"])
    currency: str = Field(pattern=r"^[A-Z]{3}$", examples=["INR"])
    note: str = Field(default="", max_length=200, pattern=_NO_NUL, examples=["January"])


class PayoutBatchOut(BaseModel):
    """A batch; it is never changed."""

    id: str = Field(examples=["pob_7h2k9m4q1x8c5v3b6n0z7w2r4t"])
    currency: str = Field(examples=["INR"])
    total_minor: int = Field(examples=[120_000])
    payouts: int = Field(description="Affiliates paid", examples=[4])
    lots: int = Field(examples=[31])
    note: str = Field(examples=["January"])
    created_by: str = Field(examples=["user:1"])
    created_at: datetime = Field(examples=["2026-02-15T10:00:00Z"])
    sha256: str = Field(description="Of the CSV export", examples=["9f86d081" * 8])

    @classmethod
    def of(cls, batch: PayoutBatch) -> "PayoutBatchOut":
        """From the row."""
        fields = {name: getattr(batch, name) for name in cls.model_fields if name != "id"}
        return cls(id=batch.public_id, **fields)


class ReferralTermsIn(In):
    """What an invitation is worth from now on."""

    is_open: bool = Field(default=True, description="false: invitations are worth nothing", examples=[True])
    reward: RewardKind = Field(examples=["points"])
    referrer_points: int = Field(default=0, ge=0, le=10**9, examples=[200])
    referred_points: int = Field(default=0, ge=0, le=10**9, examples=[100])
    code_percent_bp: int | None = Field(default=None, ge=1, le=BASIS_POINTS, examples=[None])
    code_max_discount_minor: int | None = Field(default=None, ge=1, le=10**12, examples=[None])
    code_valid_days: int | None = Field(default=None, ge=1, le=3_650, examples=[None])
    min_order_minor: int = Field(
        default=0, ge=0, le=10**12, description="Net merchandise kept of the first order", examples=[50_000]
    )


class ReferralTermsOut(BaseModel):
    """One version of what an invitation is worth."""

    version: int = Field(examples=[1])
    is_open: bool = Field(examples=[True])
    reward: RewardKind = Field(examples=["points"])
    referrer_points: int = Field(examples=[200])
    referred_points: int = Field(examples=[100])
    code_percent_bp: int | None = Field(examples=[None])
    code_max_discount_minor: int | None = Field(examples=[None])
    code_valid_days: int | None = Field(examples=[None])
    min_order_minor: int = Field(examples=[50_000])
    valid_from: datetime = Field(examples=["2026-01-01T00:00:00Z"])
    created_by: str = Field(examples=["user:1"])

    @classmethod
    def of(cls, terms: ReferralTerms) -> "ReferralTermsOut":
        """From the row."""
        return cls(**{name: getattr(terms, name) for name in cls.model_fields})
