"""A payment that starts together with its order: one transaction writes both, one call tells the gateway afterwards."""

from datetime import datetime

from sqlalchemy.orm import Session

from transactional.core.uow import Database
from transactional.orders import service as orders
from transactional.payments.gateway import PaymentGateway
from transactional.payments.models import GatewayOrder
from transactional.payments.starting import create_at_gateway, post_gateway_order


def request_for_new_order(session: Session, *, order: orders.Order, gateway: str, now: datetime) -> GatewayOrder | None:
    """Our request for the payment of an order that this transaction has just placed; None where nothing is payable yet.

    Nobody else can know the order, so nothing is locked and nothing is looked for: it is the first request.
    """
    online = order.payment_mode is orders.PaymentMode.ONLINE
    if not online or order.status is not orders.OrderStatus.AWAITING_PAYMENT or order.total_minor < 1:
        return None
    request = GatewayOrder(
        order_id=order.id,
        gateway=gateway,
        receipt=f"{order.order_number}-1",
        amount_minor=order.total_minor,
        currency=order.currency,
        created_at=now,
    )
    session.add(request)
    session.flush()
    return request


def hand_to_gateway(database: Database, *, request: GatewayOrder, gateway: PaymentGateway) -> GatewayOrder:
    """After the commit of a new request: create its order at the gateway and post the id. Raises the gateway's errors.

    What is lost on the way finds `start_payment`, which looks the receipt up before it creates anything.
    """
    snapshot = create_at_gateway(gateway, request, look_first=False)
    return database.run(lambda session: post_gateway_order(session, request.id, snapshot), actor="payments")
