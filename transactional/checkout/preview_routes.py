"""What a promotion would cost, over HTTP, for staff."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from transactional.checkout.preview import MAX_ORDERS, Preview, preview
from transactional.core.access import requires
from transactional.core.deps import ReadSession, SettingsDep
from transactional.core.problems import problem_responses

router = APIRouter(prefix="/v1/staff/promotions", tags=["promotions"])


class PreviewIn(BaseModel):
    """The past to look at."""

    model_config = ConfigDict(extra="forbid")

    since: AwareDatetime = Field(examples=["2026-01-01T00:00:00+05:30"])
    until: AwareDatetime = Field(description="Exclusive", examples=["2026-02-01T00:00:00+05:30"])


class PreviewedOrderOut(BaseModel):
    """An order that would have been cheaper."""

    model_config = ConfigDict(from_attributes=True)

    order_number: str = Field(examples=["MLT-2025-000123"])
    total_minor: int = Field(description="What it paid", examples=[159_800])
    saving_minor: int = Field(examples=[15_980])


class PreviewOut(BaseModel):
    """What the promotion would have cost."""

    model_config = ConfigDict(from_attributes=True)

    currency: str = Field(examples=["INR"])
    orders_seen: int = Field(examples=[480])
    orders_lowered: int = Field(examples=[112])
    cost_minor: int = Field(examples=[1_240_000])
    turnover_minor: int = Field(description="What the orders seen paid", examples=[61_400_000])
    stopped_early: bool = Field(description=f"Only the latest {MAX_ORDERS} orders of the period were looked at")
    reasons: dict[str, int] = Field(description="Why it gave nothing, and how often", examples=[{"min_spend": 350}])
    dearest: list[PreviewedOrderOut] = Field(description="The orders that it would have cost most on")

    @classmethod
    def of(cls, found: Preview) -> "PreviewOut":
        """From the finding."""
        return cls.model_validate(found)


@router.post(
    "/{promotion_id}/preview",
    summary="What a promotion would have cost on past orders",
    dependencies=[Depends(requires("read_promotions"))],
    responses=problem_responses(401, 403, 404, 422),
)
def run_preview(
    session: ReadSession,
    settings: SettingsDep,
    promotion_id: Annotated[int, Path(gt=0, lt=2**63, examples=[12])],
    body: PreviewIn,
) -> PreviewOut:
    """The present version, also of a draft, beside the offers that the orders used. Nothing is written."""
    found = preview(
        session,
        promotion_id=promotion_id,
        since=body.since,
        until=body.until,
        currency=settings.base_currency,
    )
    return PreviewOut.of(found)
