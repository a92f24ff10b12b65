"""Recording what shoppers do, once per event, and reading back what one shopper did lately."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from transactional.behaviour.models import BehaviourEvent, VisitorIdentity
from transactional.behaviour.vocabulary import ABOUT_A_PRODUCT, Event, EventRefused, EventType, checked_properties
from transactional.catalog.service import existing_product_ids
from transactional.core.db import insert_into
from transactional.core.errors import InvalidInput

__all__ = [
    "MAX_BATCH",
    "Event",
    "EventType",
    "Outcome",
    "RecentEvent",
    "Result",
    "looks_like_bot",
    "owner_of",
    "recent_events",
    "record",
]

MAX_BATCH = 500

_BOT = re.compile(r"(?<!cu)bot\b|crawl|spider|slurp|headless|preview|monitor|python-|curl/|wget/|httpx", re.IGNORECASE)


class Outcome(StrEnum):
    """What became of an event."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one event, with the reason of a refusal."""

    event_id: str
    outcome: Outcome
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class RecentEvent:
    """Something a shopper did with a product."""

    type: EventType
    product_id: int
    at: datetime


def record(
    session: Session,
    events: Sequence[Event],
    *,
    customer_id: int | None,
    now: datetime,
    is_bot: bool = False,
) -> list[Result]:
    """Append the events, in one statement, and say of each what became of it, in the order given.

    An id that is known already, or occurs twice, is recorded once. `is_bot` marks the events of machines and of the
    shop's own staff; they are kept but teach nothing. With a customer, the anonymous ids become theirs, unless they
    are somebody's already. Raises InvalidInput for more than `MAX_BATCH` events.
    """
    if len(events) > MAX_BATCH:
        raise InvalidInput(f"at most {MAX_BATCH} events a request, not {len(events)}", field="events")
    rows, refusals = _checked(session, events, customer_id=customer_id, now=now, is_bot=is_bot)
    inserted = _insert(session, rows)
    if customer_id is not None:
        _merge_identities(session, {row["anonymous_id"] for row in rows}, customer_id=customer_id, now=now)
    return _results(events, inserted, refusals)


def owner_of(session: Session, anonymous_id: str) -> int | None:
    """The customer that an anonymous visitor turned out to be."""
    return session.scalar(select(VisitorIdentity.customer_id).where(VisitorIdentity.anonymous_id == anonymous_id))


def recent_events(
    session: Session, *, customer_id: int | None = None, anonymous_id: str | None = None, limit: int = 50
) -> list[RecentEvent]:
    """What one shopper did with products lately, newest first; bots' events are left out.

    For a customer that includes what they did before they were known, under anonymous ids merged with them. An
    anonymous id alone gives only events that no customer is named in: another person may have used the browser.
    """
    whose = _belongs_to(customer_id, anonymous_id)
    if whose is None:
        return []
    statement = (
        select(BehaviourEvent.type, BehaviourEvent.product_id, BehaviourEvent.server_time)
        .where(whose, BehaviourEvent.type.in_(ABOUT_A_PRODUCT), BehaviourEvent.is_bot.is_(False))
        .order_by(BehaviourEvent.id.desc())
        .limit(limit)
    )
    return [RecentEvent(EventType(kind), product, at) for kind, product, at in session.execute(statement) if product]


def looks_like_bot(user_agent: str | None) -> bool:
    """Whether a client names itself a machine, or does not name itself at all."""
    return not user_agent or _BOT.search(user_agent) is not None


def _belongs_to(customer_id: int | None, anonymous_id: str | None) -> ColumnElement[bool] | None:
    mine: list[ColumnElement[bool]] = []
    if customer_id is not None:
        merged = select(VisitorIdentity.anonymous_id).where(VisitorIdentity.customer_id == customer_id)
        mine.append(BehaviourEvent.customer_id == customer_id)
        mine.append(and_(BehaviourEvent.customer_id.is_(None), BehaviourEvent.anonymous_id.in_(merged)))
    if anonymous_id is not None:
        mine.append(and_(BehaviourEvent.customer_id.is_(None), BehaviourEvent.anonymous_id == anonymous_id))
    return or_(*mine) if mine else None


def _checked(
    session: Session, events: Sequence[Event], *, customer_id: int | None, now: datetime, is_bot: bool
) -> tuple[list[dict[str, Any]], dict[int, str]]:
    """The rows to insert, and the reasons of refusal by the event's place in the batch."""
    known = existing_product_ids(session, (e.product_id for e in events if e.product_id is not None))
    rows: list[dict[str, Any]] = []
    refusals: dict[int, str] = {}
    for place, event in enumerate(events):
        try:
            properties = checked_properties(event)
        except EventRefused as refusal:
            refusals[place] = str(refusal)
            continue
        if event.product_id is not None and event.product_id not in known:
            refusals[place] = f"no product {event.product_id}"
            continue
        rows.append(_row(event, properties, customer_id=customer_id, now=now, is_bot=is_bot))
    return rows, refusals


def _row(
    event: Event, properties: Mapping[str, Any], *, customer_id: int | None, now: datetime, is_bot: bool
) -> dict[str, Any]:
    return {
        "event_id": event.event_id,
        "anonymous_id": event.anonymous_id,
        "customer_id": customer_id,
        "session_id": event.session_id,
        "type": event.type,
        "product_id": event.product_id,
        "properties": dict(properties),
        "is_bot": is_bot,
        "consent_version": event.consent_version,
        "client_time": event.client_time,
        "server_time": now,
    }


def _insert(session: Session, rows: Sequence[Mapping[str, Any]]) -> set[str]:
    """Insert what is new; gives the event ids that were."""
    if not rows:
        return set()
    # The rows beside the statement, not inside: so it is compiled once, whatever the length of the batch.
    statement = (
        insert_into(session, BehaviourEvent)
        .on_conflict_do_nothing(index_elements=["event_id"])
        .returning(BehaviourEvent.event_id)
    )
    return set(session.scalars(statement, list(rows)))


def _merge_identities(session: Session, anonymous_ids: Iterable[str], *, customer_id: int, now: datetime) -> None:
    # In one order everywhere, so that two batches of one browser cannot wait for each other.
    rows = [{"anonymous_id": a, "customer_id": customer_id, "merged_at": now} for a in sorted(anonymous_ids)]
    if not rows:
        return
    session.execute(
        insert_into(session, VisitorIdentity).values(rows).on_conflict_do_nothing(index_elements=["anonymous_id"])
    )


def _results(events: Sequence[Event], inserted: set[str], refusals: Mapping[int, str]) -> list[Result]:
    fresh = set(inserted)
    results = []
    for place, event in enumerate(events):
        if place in refusals:
            results.append(Result(event.event_id, Outcome.REFUSED, refusals[place]))
        elif event.event_id in fresh:
            fresh.discard(event.event_id)  # the same id again in this batch is the duplicate
            results.append(Result(event.event_id, Outcome.ACCEPTED))
        else:
            results.append(Result(event.event_id, Outcome.DUPLICATE))
    return results
