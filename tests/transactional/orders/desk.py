"""What tests of orders ask again and again: what is due, what was sent back, money that arrives."""

from sqlalchemy import select

from tests.support.trade import TradeKit
from transactional.core.models import OutboxMessage
from transactional.orders import service
from transactional.orders.service import PaidOutcome


def refunds(kit: TradeKit) -> dict[str, int]:
    """What the till was told to pay back, by key."""
    with kit.database.read() as session:
        found = session.scalars(select(OutboxMessage.payload).where(OutboxMessage.topic == service.REFUND_DUE))
        return {payload["key"]: payload["amount_minor"] for payload in found}


def due(kit: TradeKit, order_id: int) -> int:
    """What has to be paid now."""
    with kit.database.read() as session:
        return service.amount_due(session, order_id)


def pay(kit: TradeKit, order_id: int, amount: int | None = None) -> PaidOutcome:
    """Money arrives."""
    return kit.run(
        lambda s: service.mark_paid(s, order_id=order_id, paid_at=kit.now, actor="test", amount_minor=amount)
    )
