"""Affiliates over the wire, as affiliates and shoppers see them. Amounts are integers in the currency's minor unit."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from transactional.affiliates.dashboard import Figures
from transactional.affiliates.models import (
    Affiliate,
    AffiliateClick,
    AffiliateCode,
    AffiliateLink,
    AffiliatePayout,
    AffiliateStatus,
    AttributionOutcome,
    CommissionBalance,
    CommissionLot,
    CommissionState,
    DecidedBy,
    OrderAttribution,
    PayoutBatch,
    RefusalReason,
)
from transactional.affiliates.receipting import Link, is_unbroken

_NO_NUL = r"^[^\x00]*$"


class In(BaseModel):
    """What is sent to the shop: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class ApplicationIn(In):
    """Who wants to become an affiliate, and where commission shall be paid."""

    programme: str = Field(max_length=40, pattern=_NO_NUL, examples=["friends"])
    full_name: str = Field(min_length=1, max_length=200, pattern=_NO_NUL, examples=["Asha Rao"])
    website: str | None = Field(default=None, max_length=200, pattern=_NO_NUL, examples=["https://asha.example"])
    phone: str = Field(min_length=7, max_length=20, pattern=r"^[0-9+() -]*$", examples=["+919812345678"])
    line1: str = Field(min_length=1, max_length=200, pattern=_NO_NUL, examples=["12 MG Road"])
    line2: str | None = Field(default=None, max_length=200, pattern=_NO_NUL, examples=["Flat 3B"])
    postal_code: str = Field(min_length=1, max_length=16, pattern=_NO_NUL, examples=["560001"])
    country: str = Field(min_length=2, max_length=64, pattern=_NO_NUL, examples=["IN"])
    pay_to: str = Field(min_length=3, max_length=120, pattern=_NO_NUL, examples=["upi:asha@bank"])


class AffiliateOut(BaseModel):
    """An affiliate's record."""

    id: str = Field(examples=["aff_7h2k9m4q1x8c5v3b6n0z7w2r4t"])
    status: AffiliateStatus = Field(examples=["active"])
    full_name: str = Field(examples=["Asha Rao"])
    website: str | None = Field(examples=["https://asha.example"])
    applied_at: datetime = Field(examples=["2026-01-15T10:00:00Z"])
    decided_at: datetime | None = Field(examples=["2026-01-16T10:00:00Z"])
    decision_note: str | None = Field(examples=["Welcome"])

    @classmethod
    def of(cls, affiliate: Affiliate) -> "AffiliateOut":
        """From the row."""
        return cls(id=affiliate.public_id, **_fields(cls, affiliate))


class EarningsOut(BaseModel):
    """Commission in one currency: payable = approved − reversed − paid, never below zero."""

    currency: str = Field(examples=["INR"])
    pending_minor: int = Field(description="Waits for the end of its return window", examples=[12_000])
    approved_minor: int = Field(description="Everything ever approved", examples=[90_000])
    reversed_minor: int = Field(description="Of it taken back", examples=[10_000])
    paid_minor: int = Field(examples=[60_000])
    payable_minor: int = Field(description="What the next payout pays", examples=[20_000])
    owed_minor: int = Field(description="Taken back after it was paid: later commission pays for it", examples=[0])

    @classmethod
    def of(cls, balance: CommissionBalance) -> "EarningsOut":
        """From the row."""
        return cls(**_fields(cls, balance))


class DashboardOut(BaseModel):
    """An affiliate's own figures."""

    affiliate: AffiliateOut
    clicks: int = Field(examples=[420])
    visitors: int = Field(description="Distinct visitors among clicks with consent", examples=[300])
    orders: int = Field(examples=[12])
    refused_orders: int = Field(description="Orders of one's own, which earn nothing", examples=[1])
    earnings: list[EarningsOut]

    @classmethod
    def of(cls, affiliate: Affiliate, figures: Figures) -> "DashboardOut":
        """From the record and its sums."""
        return cls(
            affiliate=AffiliateOut.of(affiliate),
            clicks=figures.clicks,
            visitors=figures.visitors,
            orders=figures.orders,
            refused_orders=figures.refused,
            earnings=[EarningsOut.of(balance) for balance in figures.balances],
        )


class LinkIn(In):
    """A new link."""

    landing: str = Field(min_length=1, max_length=300, examples=["/products/diya-set"])
    label: str = Field(min_length=1, max_length=80, pattern=_NO_NUL, examples=["Diwali reel"])


class AffiliateLinkOut(BaseModel):
    """A link to publish: `GET /v1/affiliate-links/{id}` leads to its landing."""

    id: str = Field(examples=["lnk_7h2k9m4q1x8c5v3b6n0z7w2r4t"])
    path: str = Field(examples=["/v1/affiliate-links/lnk_7h2k9m4q1x8c5v3b6n0z7w2r4t"])
    landing: str = Field(examples=["/products/diya-set"])
    label: str = Field(examples=["Diwali reel"])
    created_at: datetime = Field(examples=["2026-01-16T10:00:00Z"])
    ended_at: datetime | None = Field(description="From then on it leads on and counts nothing", examples=[None])

    @classmethod
    def of(cls, link: AffiliateLink) -> "AffiliateLinkOut":
        """From the row."""
        path = f"/v1/affiliate-links/{link.public_id}"
        return cls(id=link.public_id, path=path, **_fields(cls, link))


class PayToIn(In):
    """Where commission shall be paid from now on."""

    pay_to: str = Field(min_length=3, max_length=120, pattern=_NO_NUL, examples=["upi:asha@bank"])


class AffiliateCodeIn(In):
    """A code for an affiliate."""

    code: str = Field(min_length=4, max_length=40, examples=["ASHA-GIFTS"])


class AffiliateCodeOut(BaseModel):
    """A code that names the affiliate at checkout."""

    code: str = Field(examples=["ASHA-GIFTS"])
    created_at: datetime = Field(examples=["2026-01-16T10:00:00Z"])
    ended_at: datetime | None = Field(examples=[None])

    @classmethod
    def of(cls, code: AffiliateCode) -> "AffiliateCodeOut":
        """From the row."""
        return cls(**_fields(cls, code))


class ClickIn(In):
    """A visitor follows a link."""

    consent: bool = Field(description="Whether the visitor agreed to be remembered", examples=[True])
    visitor_id: str | None = Field(
        default=None, max_length=64, description="As an earlier click gave it", examples=[None]
    )


class FollowedOut(BaseModel):
    """Where the link leads."""

    landing: str = Field(examples=["/products/diya-set"])
    visitor_id: str | None = Field(
        description="Keep it and name it at checkout; null without consent",
        examples=["vis_7h2k9m4q1x8c5v3b6n0z7w2r4t"],
    )


class ClickOut(BaseModel):
    """A click on one of the affiliate's links. It does not say who it was."""

    id: str = Field(examples=["clk_7h2k9m4q1x8c5v3b6n0z7w2r4t"])
    landing: str = Field(examples=["/products/diya-set"])
    consent: bool = Field(examples=[True])
    clicked_at: datetime = Field(examples=["2026-01-20T10:00:00Z"])
    sha256: str = Field(description="Keep it: it is the first link of a later receipt", examples=["9f86d081" * 8])

    @classmethod
    def of(cls, click: AffiliateClick) -> "ClickOut":
        """From the row."""
        return cls(id=click.public_id, **_fields(cls, click))


class CommissionOut(BaseModel):
    """The commission of one order line."""

    state: CommissionState = Field(examples=["pending"])
    currency: str = Field(examples=["INR"])
    quantity: int = Field(examples=[2])
    net_minor: int = Field(examples=[100_000])
    rate_bp: int = Field(examples=[1_000])
    amount_minor: int = Field(examples=[10_000])
    reversed_minor: int = Field(examples=[0])
    paid_minor: int = Field(examples=[0])
    offset_minor: int = Field(description="Kept for what was owed", examples=[0])
    approvable_at: datetime | None = Field(
        description="The end of the return window; null before the delivery", examples=["2026-02-10T10:00:00Z"]
    )

    @classmethod
    def of(cls, lot: CommissionLot) -> "CommissionOut":
        """From the row."""
        return cls(**_fields(cls, lot))


class AttributedOrderOut(BaseModel):
    """An order that was attributed to the affiliate, under the name of its receipt."""

    receipt: str = Field(examples=["rcp_7h2k9m4q1x8c5v3b6n0z7w2r4t"])
    number: int = Field(description="Receipts of an affiliate have no gaps", examples=[12])
    placed_at: datetime = Field(examples=["2026-01-20T11:00:00Z"])
    decided_by: DecidedBy = Field(examples=["click"])
    outcome: AttributionOutcome = Field(examples=["credited"])
    reason: RefusalReason | None = Field(description="Why nothing is earned", examples=[None])
    commission: list[CommissionOut]

    @classmethod
    def of(cls, attribution: OrderAttribution, lots: Sequence[CommissionLot]) -> "AttributedOrderOut":
        """From the row and its lots."""
        commission = [CommissionOut.of(lot) for lot in lots]
        return cls(receipt=attribution.public_id, commission=commission, **_fields(cls, attribution))


class ReceiptLinkOut(BaseModel):
    """One link: `sha256` is SHA-256 of `facts` as JSON in UTF-8, keys sorted, without spaces."""

    kind: str = Field(description="click, order or commission", examples=["click"])
    facts: dict[str, Any] = Field(examples=[{"click": "clk_7h2k9m4q1x8c5v3b6n0z7w2r4t", "consent": True}])
    sha256: str = Field(examples=["9f86d081" * 8])
    holds: bool = Field(description="Whether the facts still give the hash", examples=[True])


class OrderReceiptOut(BaseModel):
    """The chain from the click to the commission of an order."""

    receipt: str = Field(examples=["rcp_7h2k9m4q1x8c5v3b6n0z7w2r4t"])
    unbroken: bool = Field(description="Whether every link holds and names the one before it", examples=[True])
    follows_on: bool = Field(
        description="Whether the affiliate's receipt before it is there and named", examples=[True]
    )
    links: list[ReceiptLinkOut]

    @classmethod
    def of(cls, attribution: OrderAttribution, links: Sequence[Link], *, follows_on: bool) -> "OrderReceiptOut":
        """From the chain."""
        shown = [ReceiptLinkOut(kind=x.kind, facts=x.facts, sha256=x.sha256, holds=x.holds) for x in links]
        unbroken = is_unbroken(links)
        return cls(receipt=attribution.public_id, unbroken=unbroken, follows_on=follows_on, links=shown)


class AffiliatePayoutOut(BaseModel):
    """What was paid to an affiliate at one time."""

    id: str = Field(examples=["pay_7h2k9m4q1x8c5v3b6n0z7w2r4t"])
    batch: str = Field(examples=["pob_7h2k9m4q1x8c5v3b6n0z7w2r4t"])
    currency: str = Field(examples=["INR"])
    amount_minor: int = Field(examples=[20_000])
    pay_to: str = Field(examples=["upi:asha@bank"])
    paid_at: datetime = Field(examples=["2026-02-15T10:00:00Z"])

    @classmethod
    def of(cls, payout: AffiliatePayout, batch: PayoutBatch) -> "AffiliatePayoutOut":
        """From the row and its batch."""
        return cls(
            id=payout.public_id,
            batch=batch.public_id,
            currency=batch.currency,
            amount_minor=payout.amount_minor,
            pay_to=payout.pay_to,
            paid_at=batch.created_at,
        )


class ProgrammeTermsOut(BaseModel):
    """What a programme says, made from the very values that the shop decides by."""

    programme: str = Field(examples=["friends"])
    name: str = Field(examples=["Friends of the shop"])
    version: int = Field(examples=[2])
    valid_from: datetime = Field(examples=["2026-01-01T00:00:00Z"])
    window_days: int = Field(examples=[30])
    click_rule: Literal["first_click", "last_click"] = Field(examples=["last_click"])
    winner: Literal["code", "click"] = Field(examples=["code"])
    rate_bp: int = Field(examples=[1_000])
    text: list[str] = Field(examples=[["Commission is 10 % of the net price of each unit, …"]])


class InviteOut(BaseModel):
    """A customer's own code for inviting others."""

    code: str = Field(
        description="Whoever is invited names it at checkout as `referral_code`", examples=["GIFT-7H2K9M4Q"]
    )
    invited: int = Field(description="Orders that named it", examples=[3])
    rewarded: int = Field(examples=[2])


def _fields(model: type[BaseModel], row: object) -> dict[str, Any]:
    """Those fields of a model that the row has under the same name; a row's own id is not shown."""
    return {name: getattr(row, name) for name in model.model_fields if name != "id" and hasattr(row, name)}
