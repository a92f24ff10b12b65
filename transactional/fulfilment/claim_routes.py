"""Parcels that were lost or broken, over HTTP: what waits for staff, and their decision."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, Field

from transactional.core.access import CurrentActor, requires
from transactional.core.deps import ClockDep, ReadSession, WriteSession
from transactional.core.pagination import CursorParams, Page, shape_page
from transactional.core.problems import problem_responses
from transactional.fulfilment import claims
from transactional.shipping import service as shipping
from transactional.shipping.service import CarrierClaim, ClaimCause, ClaimDecision

router = APIRouter(prefix="/v1", tags=["parcels"])


class ClaimOut(BaseModel):
    """A parcel that was lost or broken, and what was decided."""

    id: int = Field(examples=[3])
    shipment_id: int = Field(examples=[12])
    order_id: int = Field(examples=[15])
    cause: ClaimCause = Field(examples=["lost"])
    claimed_minor: int = Field(description="What the courier is asked for", examples=[159_800])
    currency: str | None = Field(examples=["INR"])
    occurred_at: datetime = Field(examples=["2026-01-19T10:00:00Z"])
    opened_at: datetime = Field(examples=["2026-01-19T10:05:00Z"])
    decision: ClaimDecision | None = Field(examples=[None])
    decided_at: datetime | None = Field(examples=[None])
    decided_by: str | None = Field(examples=[None])
    note: str | None = Field(examples=[None])
    replacement_id: int | None = Field(description="The parcel that carries the goods once more", examples=[None])

    @classmethod
    def of(cls, claim: CarrierClaim) -> "ClaimOut":
        """From the row."""
        return cls(**{name: getattr(claim, name) for name in cls.model_fields})


class ParcelDecisionIn(BaseModel):
    """What the buyer gets."""

    decision: Literal["refund", "resend"] = Field(examples=["refund"])
    note: str = Field(default="", max_length=300, examples=["The courier admits the loss"])


@router.get(
    "/staff/parcel-claims",
    summary="Parcels that were lost or broken",
    dependencies=[Depends(requires("read_orders"))],
    responses=problem_responses(401, 403, 422),
)
def listing(
    session: ReadSession,
    cursor: CursorParams,
    open_only: Annotated[bool, Query(description="Only those that wait for a decision")] = True,
) -> Page[ClaimOut]:
    """Newest first."""
    rows, more = shipping.page_of_claims(session, cursor, open_only=open_only)
    return shape_page(rows, more, ClaimOut.of)


@router.post(
    "/staff/parcel-claims/{claim_id}/decision",
    summary="Refund a lost parcel, or send it again",
    dependencies=[Depends(requires("write_orders"))],
    responses=problem_responses(401, 403, 404, 409, 422),
)
def decide(
    session: WriteSession,
    clock: ClockDep,
    actor: CurrentActor,
    claim_id: Annotated[int, Path(ge=1, examples=[3])],
    body: ParcelDecisionIn,
) -> ClaimOut:
    """Taken once; the same decision again changes nothing. The money, or the new parcel, follows by itself."""
    return ClaimOut.of(
        claims.decide(
            session,
            claim_id=claim_id,
            decision=ClaimDecision(body.decision),
            actor=actor.name,
            note=body.note,
            now=clock.now(),
        )
    )
