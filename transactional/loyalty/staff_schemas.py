"""Points over the wire, as staff see them: adjustments, versions, campaigns, replays and what is owed."""

from datetime import datetime
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from transactional.loyalty.adjustments import REQUEST_LIFE, is_over
from transactional.loyalty.liability import Liability
from transactional.loyalty.models import (
    ActivationRule,
    DateRounding,
    LoyaltyCampaign,
    LoyaltyProgramme,
    PointAdjustment,
    TierPolicy,
    Wallet,
)
from transactional.loyalty.programme_admin import RULES
from transactional.loyalty.replay import Affected, Comparison, Effect, Figures
from transactional.loyalty.tiers import TierLevel

_POINTS_LIMIT = 1_000_000
_BIG = 10**12

AdjustmentView = Literal["requested", "approved", "refused", "applied", "expired"]


class PointsAdjustmentIn(BaseModel):
    """Points given or taken by hand."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    points: int = Field(ge=-_POINTS_LIMIT, le=_POINTS_LIMIT, description="Signed, not 0", examples=[50])
    reason: str = Field(min_length=1, max_length=200, examples=["apology for a late parcel"])
    wallet: Wallet = Field(default=Wallet.EARNED, examples=["earned"])


class AdjustmentDecisionIn(BaseModel):
    """What the second person says."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    note: str = Field(default="", max_length=200, description="Needed for a refusal", examples=["agreed by phone"])


class PointsAdjustmentOut(BaseModel):
    """An adjustment and what became of it."""

    id: int = Field(examples=[7])
    customer_id: int = Field(examples=[12])
    points: int = Field(examples=[750])
    wallet: Wallet = Field(examples=["earned"])
    reason: str = Field(examples=["apology for a late parcel"])
    state: AdjustmentView = Field(description="requested: waits for a second person", examples=["requested"])
    asked_by: str = Field(examples=["user:3"])
    asked_at: datetime = Field(examples=["2026-01-15T10:00:00Z"])
    expires_at: datetime = Field(description="Nobody can agree after that", examples=["2026-01-29T10:00:00Z"])
    decided_by: str | None = Field(examples=[None])
    decided_at: datetime | None = Field(examples=[None])
    decision_note: str | None = Field(examples=[None])
    entry_id: int | None = Field(description="The entry that came of it", examples=[None])

    @classmethod
    def of(cls, asked: PointAdjustment, now: datetime) -> "PointsAdjustmentOut":
        """From the row."""
        names = set(cls.model_fields) - {"state", "expires_at"}
        return cls(
            **{name: getattr(asked, name) for name in names},
            state="expired" if is_over(asked, now=now) else asked.state.value,
            expires_at=asked.asked_at + REQUEST_LIFE,
        )


class LoyaltyTierIo(BaseModel):
    """A tier; basis points of the plain rate, days."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    name: str = Field(min_length=1, max_length=40, examples=["Silver"])
    threshold: int = Field(ge=0, le=_BIG, description="Qualifying points that reach it", examples=[50])
    multiplier_bp: int = Field(default=10_000, ge=0, le=1_000_000, examples=[12_500])
    grace_days: int = Field(default=0, ge=0, le=3_650, examples=[30])
    expiry_extension_days: int = Field(default=0, ge=0, le=36_500, examples=[0])
    reinstatement_days: int = Field(default=0, ge=0, le=3_650, examples=[30])

    def level(self) -> TierLevel:
        """As the rules want it."""
        return TierLevel(**self.model_dump())

    @classmethod
    def of(cls, level: TierLevel) -> "LoyaltyTierIo":
        """From the rules."""
        return cls(**{name: getattr(level, name) for name in cls.model_fields})


class PointsRulesIn(BaseModel):
    """Rules to be set anew; what is left out stays. Null lifts a cap."""

    model_config = ConfigDict(extra="forbid")

    earn_per_unit_minor: int = Field(default=0, le=_BIG, description="One point for so much", examples=[10_000])
    value_per_point_minor: int = Field(default=0, le=_BIG, examples=[100])
    min_redeem_points: int = Field(default=0, le=_BIG, examples=[1])
    max_share_bp: int = Field(default=0, examples=[5_000])
    activation: ActivationRule = Field(default=ActivationRule.DURATION, examples=["duration"])
    activation_days: int = Field(default=0, examples=[14])
    activation_rounding: DateRounding = Field(default=DateRounding.NONE, examples=["none"])
    expiry_days: int = Field(default=0, examples=[365])
    restore_grace_days: int = Field(default=0, examples=[30])
    earns_on_shipping: bool = Field(default=False, examples=[False])
    earns_on_wrap: bool = Field(default=False, examples=[False])
    earns_on_tax: bool = Field(default=True, examples=[True])
    max_earned_per_order: int | None = Field(default=None, le=_BIG, examples=[None])
    max_earned_per_day: int | None = Field(default=None, le=_BIG, examples=[None])
    negative_floor: int = Field(default=0, le=_BIG, examples=[10_000])
    promotional_negative_floor: int = Field(default=0, le=_BIG, examples=[0])
    promotional_expiry_days: int | None = Field(default=None, examples=[90])
    max_earned_points_spent: int | None = Field(default=None, le=_BIG, examples=[None])
    max_promotional_points_spent: int | None = Field(default=None, le=_BIG, examples=[None])
    adjustment_limit: int = Field(default=0, le=_BIG, examples=[500])
    first_notice_days: int = Field(default=0, examples=[30])
    last_notice_days: int = Field(default=0, examples=[7])
    tier_policy: TierPolicy = Field(default=TierPolicy.ONE_DOWN, examples=["one_down"])
    tier_window_months: int = Field(default=0, examples=[12])
    tier_period_months: int = Field(default=0, examples=[12])
    tier_notice_days: int = Field(default=0, examples=[30])
    time_zone: str = Field(default="", max_length=64, examples=["Asia/Kolkata"])

    def named(self) -> dict[str, Any]:
        """Only what was given."""
        return self.model_dump(exclude_unset=True)


class PointsVersionIn(BaseModel):
    """The next version of the programme."""

    model_config = ConfigDict(extra="forbid")

    valid_from: AwareDatetime = Field(description="In the future", examples=["2026-04-01T00:00:00+05:30"])
    changes: PointsRulesIn
    tiers: list[LoyaltyTierIo] | None = Field(
        default=None, max_length=20, description="Lowest first; left out: those of the version before"
    )


class PointsVersionOut(BaseModel):
    """One version of the programme."""

    version: int = Field(examples=[2])
    valid_from: datetime = Field(examples=["2026-03-31T18:30:00Z"])
    rules: dict[str, Any] = Field(examples=[{"earn_per_unit_minor": 10_000, "value_per_point_minor": 100}])
    tiers: list[LoyaltyTierIo]

    @classmethod
    def of(cls, programme: LoyaltyProgramme, tiers: tuple[TierLevel, ...]) -> "PointsVersionOut":
        """From the rows."""
        rules = {name: getattr(programme, name) for name in RULES}
        shown = [LoyaltyTierIo.of(level) for level in tiers]
        return cls(version=programme.version, valid_from=programme.valid_from, rules=rules, tiers=shown)


class PointsCampaignIn(BaseModel):
    """More points for a while; planned until it begins."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    name: str = Field(min_length=1, max_length=120, examples=["Diwali doubles"])
    multiplier_bp: int = Field(ge=0, le=1_000_000, examples=[20_000])
    starts_at: AwareDatetime = Field(examples=["2026-11-01T00:00:00+05:30"])
    ends_at: AwareDatetime | None = Field(default=None, examples=["2026-11-15T00:00:00+05:30"])
    category_id: int | None = Field(default=None, examples=[4])
    product_id: int | None = Field(default=None, examples=[None])
    tier: str | None = Field(default=None, max_length=40, examples=[None])


class PointsCampaignOut(BaseModel):
    """A campaign that multiplies points."""

    id: int = Field(examples=[3])
    name: str = Field(examples=["Diwali doubles"])
    multiplier_bp: int = Field(examples=[20_000])
    state: Literal["planned", "running", "ended"] = Field(examples=["planned"])
    starts_at: datetime = Field(examples=["2026-10-31T18:30:00Z"])
    ends_at: datetime | None = Field(examples=["2026-11-14T18:30:00Z"])
    category_id: int | None = Field(examples=[4])
    product_id: int | None = Field(examples=[None])
    tier: str | None = Field(examples=[None])
    created_by: str = Field(examples=["user:3"])

    @classmethod
    def of(cls, campaign: LoyaltyCampaign, now: datetime) -> "PointsCampaignOut":
        """From the row."""
        over = campaign.ends_at is not None and campaign.ends_at <= now
        values = {name: getattr(campaign, name) for name in set(cls.model_fields) - {"state"}}
        return cls(**values, state="planned" if campaign.starts_at > now else "ended" if over else "running")


class ReplayIn(BaseModel):
    """Which other rules to try, and over which past."""

    model_config = ConfigDict(extra="forbid")

    since: AwareDatetime = Field(examples=["2025-04-01T00:00:00+05:30"])
    until: AwareDatetime | None = Field(default=None, description="Left out: now", examples=[None])
    changes: PointsRulesIn
    tiers: list[LoyaltyTierIo] | None = Field(default=None, max_length=20)


class ReplayFiguresOut(BaseModel):
    """Points of a period, and what is open at its end."""

    issued: int = Field(examples=[4_000])
    redeemed: int = Field(examples=[900])
    expired: int = Field(examples=[120])
    open_points: int = Field(examples=[2_980])
    open_minor: int = Field(description="Their value in minor units", examples=[298_000])

    @classmethod
    def of(cls, figures: Figures) -> "ReplayFiguresOut":
        """From the service's answer."""
        return cls(**{name: getattr(figures, name) for name in cls.model_fields})


class ReplayComparisonOut(BaseModel):
    """What was, and what would have been."""

    actual: ReplayFiguresOut
    replayed: ReplayFiguresOut
    change_minor: int = Field(description="By how much the shop would owe more", examples=[-50_000])

    @classmethod
    def of(cls, found: Comparison) -> "ReplayComparisonOut":
        """From the service's answer."""
        return ReplayComparisonOut(
            actual=ReplayFiguresOut.of(found.actual),
            replayed=ReplayFiguresOut.of(found.replayed),
            change_minor=found.change_minor,
        )


class ReplayTierOut(BaseModel):
    """The effect on the customers of a tier."""

    tier: str = Field(examples=["Silver"])
    customers: int = Field(examples=[40])
    customers_replayed: int = Field(description="How many would be in it", examples=[35])
    effect: ReplayComparisonOut


class ReplayCustomerOut(BaseModel):
    """The effect on one customer."""

    customer_id: int = Field(examples=[12])
    tier: str = Field(examples=["Silver"])
    tier_replayed: str = Field(examples=["Bronze"])
    effect: ReplayComparisonOut

    @classmethod
    def of(cls, found: Affected) -> "ReplayCustomerOut":
        """From the service's answer."""
        return cls(
            customer_id=found.customer_id,
            tier=found.tier,
            tier_replayed=found.tier_replayed,
            effect=ReplayComparisonOut.of(found.comparison),
        )


class ReplayOut(BaseModel):
    """What other rules would have done. Nothing was written."""

    since: datetime = Field(examples=["2025-03-31T18:30:00Z"])
    until: datetime = Field(examples=["2026-01-15T10:00:00Z"])
    customers: int = Field(examples=[300])
    total: ReplayComparisonOut
    by_tier: list[ReplayTierOut]
    most_affected: list[ReplayCustomerOut]

    @classmethod
    def of(cls, effect: Effect) -> "ReplayOut":
        """From the service's answer."""
        tiers = [
            ReplayTierOut(
                tier=name,
                customers=found.customers,
                customers_replayed=found.customers_replayed,
                effect=ReplayComparisonOut.of(found),
            )
            for name, found in sorted(effect.by_tier.items())
        ]
        return cls(
            since=effect.since,
            until=effect.until,
            customers=effect.customers,
            total=ReplayComparisonOut.of(effect.total),
            by_tier=tiers,
            most_affected=[ReplayCustomerOut.of(found) for found in effect.most_affected],
        )


class SourceLiabilityOut(BaseModel):
    """Unspent points of one wallet and source."""

    wallet: Wallet = Field(examples=["earned"])
    source: str = Field(examples=["order"])
    active: int = Field(examples=[900])
    pending: int = Field(examples=[100])


class CreditorOut(BaseModel):
    """A customer with many points."""

    customer_id: int = Field(examples=[12])
    points: int = Field(examples=[400])


class LiabilityOut(BaseModel):
    """What the shop owes in points."""

    points: int = Field(description="active + pending + held − owed", examples=[1_000])
    value_minor: int = Field(description="Their value now, in minor units", examples=[100_000])
    active: int = Field(examples=[900])
    pending: int = Field(examples=[100])
    held: int = Field(examples=[20])
    owed: int = Field(description="Customers' debts; their next points pay", examples=[20])
    shortfall: int = Field(description="Receivables that points do not pay", examples=[0])
    expiring: int = Field(description="Lapse within 30 days unless they are spent", examples=[60])
    by_source: list[SourceLiabilityOut]
    largest: list[CreditorOut]

    @classmethod
    def of(cls, found: Liability) -> "LiabilityOut":
        """From the service's answer."""
        plain = set(cls.model_fields) - {"by_source", "largest"}
        return cls(
            **{name: getattr(found, name) for name in plain},
            by_source=[
                SourceLiabilityOut(**{n: getattr(s, n) for n in SourceLiabilityOut.model_fields})
                for s in found.by_source
            ],
            largest=[CreditorOut(customer_id=customer_id, points=points) for customer_id, points in found.largest],
        )
