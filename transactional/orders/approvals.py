"""Custom gifts: the customer agrees to what will be made (`approving`), and only then may it be paid for.

An approval is bound to the content by its hash. Voiding it, because the design changes, takes the order back to
`awaiting_approval`; the time to pay ends with it.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from transactional.catalog.service import NEEDS_APPROVAL
from transactional.core.errors import Conflict
from transactional.orders.models import Order, OrderApproval, OrderLine, OrderStatus
from transactional.orders.queries import lines_of, lock_order
from transactional.orders.transitions import transition

TIME_TO_APPROVE = timedelta(days=7)


def needs_approval(customisations: Iterable[Mapping[str, Any]]) -> bool:
    """Whether anything among these customisations is made only after the customer has agreed."""
    return any(customisation.get(NEEDS_APPROVAL) for customisation in customisations)


def content_sha256(lines: Sequence[OrderLine]) -> str:
    """SHA-256 of what will be made: SKU, quantity and customisation of every line, as canonical JSON."""
    content = [
        {"line": line.id, "sku": line.sku, "quantity": line.quantity, "customisation": line.customisation}
        for line in lines
    ]
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def void(session: Session, *, order_id: int, actor: str, reason: str, now: datetime) -> Order:
    """The approval counts no more, because the design will change: the order awaits a new one.

    Raises NotFound, IllegalTransition unless the order awaits payment, Conflict where it has no approval.
    """
    order = lock_order(session, order_id)
    approval = _not_voided(session, order_id)
    if approval is None:
        raise Conflict(f"order {order.order_number} has no approval")
    transition(
        session,
        order,
        OrderStatus.AWAITING_APPROVAL,
        actor=actor,
        reason=reason,
        now=now,
        stamps={"expires_at": now + TIME_TO_APPROVE},
    )
    _void(session, approval, actor=actor, reason=reason, now=now)
    return order


def void_with_order(session: Session, order_id: int, *, reason: str, now: datetime) -> None:
    """The order has come to an end: so has its approval, if it has one."""
    approval = _not_voided(session, order_id)
    if approval is not None:
        _void(session, approval, actor="worker", reason=reason, now=now)


def live_approval(session: Session, order_id: int, now: datetime) -> OrderApproval | None:
    """The approval that lets the order be paid now."""
    approval = _not_voided(session, order_id)
    return approval if approval is not None and approval.expires_at > now else None


def approvals_of(session: Session, order_id: int) -> Sequence[OrderApproval]:
    """Every approval of the order, oldest first."""
    return session.scalars(
        select(OrderApproval).where(OrderApproval.order_id == order_id).order_by(OrderApproval.id)
    ).all()


def order_needs_approval(session: Session, order_id: int) -> bool:
    """Whether anything in the order is made only after the customer has agreed."""
    return needs_approval(line.customisation for line in lines_of(session, order_id))


def _not_voided(session: Session, order_id: int) -> OrderApproval | None:
    return session.scalar(
        select(OrderApproval).where(OrderApproval.order_id == order_id, OrderApproval.voided_at.is_(None))
    )


def _void(session: Session, approval: OrderApproval, *, actor: str, reason: str, now: datetime) -> None:
    approval.voided_at, approval.voided_by, approval.void_reason = now, actor, reason[:200]
    session.flush()
