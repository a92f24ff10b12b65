"""Adjustments by hand: who asks and why, who agrees, and the one entry that comes of it.

Up to the programme's limit one person is enough. More than that in a day, for one customer and by one person, waits
for a second one; a request that nobody decides is over after two weeks and stays on file.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from transactional.core.errors import Conflict, Forbidden, InvalidInput, NotFound
from transactional.loyalty.gifts import adjust
from transactional.loyalty.ledger import lock_balance
from transactional.loyalty.models import AdjustmentState, PointAdjustment, Wallet
from transactional.loyalty.programme import ensure_programme

REQUEST_LIFE = timedelta(days=14)
"""How long a request waits for somebody's decision."""
_DAY = timedelta(days=1)


def request_adjustment(
    session: Session,
    *,
    customer_id: int,
    points: int,
    reason: str,
    actor: str,
    now: datetime,
    wallet: Wallet = Wallet.EARNED,
) -> PointAdjustment:
    """Give (positive) or take (negative) points by hand: done at once within the limit, asked for above it.

    Smaller adjustments of the same person for the same customer within a day count together. Raises InvalidInput for
    0 points, no reason or no actor; PointsRefused where fewer points are free than are to be taken at once.
    """
    if points == 0:
        raise InvalidInput("an adjustment changes the balance by at least one point", field="points")
    if not reason.strip() or not actor.strip():
        raise InvalidInput("an adjustment needs somebody who makes it and a reason", field="reason")
    lock_balance(session, customer_id)
    limit = ensure_programme(session, now=now).adjustment_limit
    asked = PointAdjustment(
        customer_id=customer_id,
        points=points,
        wallet=wallet,
        reason=reason.strip()[:200],
        state=AdjustmentState.REQUESTED,
        asked_by=actor,
        asked_at=now,
    )
    session.add(asked)
    if abs(points) + _alone_lately(session, customer_id, actor, now) <= limit:
        _apply(session, asked, actor=actor, now=now)
    session.flush()
    return asked


def approve_adjustment(
    session: Session, *, adjustment_id: int, actor: str, now: datetime, note: str = ""
) -> PointAdjustment:
    """A second person agrees: the points move now, exactly once.

    Raises NotFound, Forbidden for whoever asked for it, Conflict for a request that is decided or over, PointsRefused
    where fewer points are free than are to be taken (the request stays open).
    """
    asked = _open_request(session, adjustment_id, actor, now)
    _apply(session, asked, actor=f"{asked.asked_by}+{actor}", now=now)
    _decide(asked, actor, note, now)
    session.flush()
    return asked


def refuse_adjustment(session: Session, *, adjustment_id: int, actor: str, note: str, now: datetime) -> PointAdjustment:
    """A second person declines and says why; the request stays on file.

    Raises NotFound, InvalidInput without a note, Forbidden for whoever asked for it, Conflict for a request that is
    decided or over.
    """
    if not note.strip():
        raise InvalidInput("whoever refuses a request says why", field="note")
    asked = _open_request(session, adjustment_id, actor, now)
    asked.state = AdjustmentState.REFUSED
    _decide(asked, actor, note, now)
    session.flush()
    return asked


def adjustments(
    session: Session,
    *,
    state: AdjustmentState | None = None,
    customer_id: int | None = None,
    before_id: int | None = None,
    limit: int = 50,
) -> Sequence[PointAdjustment]:
    """Requests and what became of them, newest first."""
    found = select(PointAdjustment).order_by(PointAdjustment.id.desc()).limit(limit)
    if state is not None:
        found = found.where(PointAdjustment.state == state)
    if customer_id is not None:
        found = found.where(PointAdjustment.customer_id == customer_id)
    if before_id is not None:
        found = found.where(PointAdjustment.id < before_id)
    return session.scalars(found).all()


def is_over(asked: PointAdjustment, *, now: datetime) -> bool:
    """Whether nobody decided the request in time."""
    return asked.state is AdjustmentState.REQUESTED and asked.asked_at + REQUEST_LIFE <= now


def _open_request(session: Session, adjustment_id: int, actor: str, now: datetime) -> PointAdjustment:
    """The request under the lock of its customer, so that of two deciders the second sees what the first did."""
    seen = session.get(PointAdjustment, adjustment_id)
    if seen is None:
        raise NotFound(f"no adjustment {adjustment_id}")
    lock_balance(session, seen.customer_id)
    session.refresh(seen)
    if seen.state is not AdjustmentState.REQUESTED:
        raise Conflict(f"adjustment {adjustment_id} is {seen.state} already")
    if is_over(seen, now=now):
        raise Conflict(f"nobody decided adjustment {adjustment_id} within {REQUEST_LIFE.days} days: ask again")
    if actor == seen.asked_by:
        raise Forbidden("a second person decides about this adjustment, not whoever asked for it")
    return seen


def _apply(session: Session, asked: PointAdjustment, *, actor: str, now: datetime) -> None:
    entry = adjust(
        session,
        customer_id=asked.customer_id,
        points=asked.points,
        wallet=asked.wallet,
        actor=actor[:64],
        reason=asked.reason,
        now=now,
    )
    asked.entry_id = entry.id
    asked.state = AdjustmentState.APPLIED


def _decide(asked: PointAdjustment, actor: str, note: str, now: datetime) -> None:
    asked.decided_by = actor
    asked.decided_at = now
    asked.decision_note = note.strip()[:200] or None


def _alone_lately(session: Session, customer_id: int, actor: str, now: datetime) -> int:
    """Points that the person moved for the customer within a day without asking anybody."""
    return int(
        session.scalar(
            select(func.coalesce(func.sum(func.abs(PointAdjustment.points)), 0)).where(
                PointAdjustment.customer_id == customer_id,
                PointAdjustment.asked_by == actor,
                PointAdjustment.state == AdjustmentState.APPLIED,
                PointAdjustment.decided_by.is_(None),
                PointAdjustment.asked_at > now - _DAY,
            )
        )
        or 0
    )
