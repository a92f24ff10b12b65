"""Behaviour events over the wire."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from transactional.behaviour.service import MAX_BATCH, Event, EventType, Outcome, Result

_TYPES = ", ".join(f"`{kind}`" for kind in EventType)
Token = Annotated[str, Field(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9._:-]+$")]


class EventIn(BaseModel):
    """One thing that a shopper did. It names no person: who is logged in, the shop knows from the token."""

    model_config = ConfigDict(extra="forbid")

    event_id: Token = Field(description="The client's own id of this event", examples=["0197f0c2-7a1e-7c3b-9a55"])
    type: str = Field(max_length=32, description=f"One of {_TYPES}", examples=["view"])
    anonymous_id: Token = Field(description="Random, kept by the browser until log-out", examples=["anon-5f0c91d2"])
    session_id: Token = Field(description="Random, one a visit", examples=["visit-77aa01b4"])
    product_id: int | None = Field(default=None, gt=0, examples=[42])
    properties: dict[str, Any] = Field(
        default_factory=dict,
        max_length=20,
        description="Closed by type: view {source}; category_view {category_id}; search {query, results}; "
        "add_to_cart and remove_from_cart {variant_id, quantity}; checkout_started {items, value_minor, currency}; "
        "recommendation_shown {slot, shelf, product_ids, model, model_version, build_id, source}; "
        "recommendation_clicked {slot, shelf, position, model, model_version, build_id}",
        examples=[{"source": "search"}],
    )
    client_time: AwareDatetime | None = Field(default=None, examples=["2026-01-15T10:00:00Z"])
    consent_version: str | None = Field(default=None, max_length=16, examples=["2026-01"])

    def event(self) -> Event:
        """As the service takes it."""
        return Event(**self.model_dump())


class BatchIn(BaseModel):
    """Events of one client, oldest first."""

    model_config = ConfigDict(extra="forbid")

    events: list[EventIn] = Field(min_length=1, max_length=MAX_BATCH)


class EventResult(BaseModel):
    """What became of one event."""

    event_id: str = Field(examples=["0197f0c2-7a1e-7c3b-9a55"])
    outcome: Outcome
    reason: str | None = Field(default=None, examples=["no product 42"])


class BatchOut(BaseModel):
    """What became of a batch, event by event in the order sent."""

    server_time: datetime = Field(description="The time that counts, the same for the whole batch")
    accepted: int = Field(examples=[1])
    duplicates: int = Field(examples=[0])
    refused: int = Field(examples=[0])
    results: list[EventResult]

    @classmethod
    def of(cls, results: list[Result], server_time: datetime) -> "BatchOut":
        """Count the outcomes."""
        outcomes = [result.outcome for result in results]
        return cls(
            server_time=server_time,
            accepted=outcomes.count(Outcome.ACCEPTED),
            duplicates=outcomes.count(Outcome.DUPLICATE),
            refused=outcomes.count(Outcome.REFUSED),
            results=[EventResult(event_id=r.event_id, outcome=r.outcome, reason=r.reason) for r in results],
        )
