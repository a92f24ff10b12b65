"""The payment that starts with a checkout; the gateway is asked after the commit: no order hangs on its answer."""

from datetime import datetime

import structlog

from transactional.core.uow import Database
from transactional.orders import service as orders
from transactional.payments import service as payments
from transactional.payments.service import GatewayError, GatewayOrder, NotPayable, PaymentGateway

log = structlog.stdlib.get_logger("transactional.checkout")


def started_payment(database: Database, gateway: PaymentGateway, *, request: GatewayOrder) -> GatewayOrder | None:
    """The gateway's order for a request that the checkout has just written; None where the gateway does not answer."""
    try:
        return payments.hand_to_gateway(database, request=request, gateway=gateway)
    except GatewayError as error:
        log.warning("payment not started", receipt=request.receipt, reason=str(error))
        return None


def payment_started_before(
    database: Database, gateway: PaymentGateway, *, order_public_id: str, now: datetime
) -> GatewayOrder | None:
    """The same for a repeated checkout: whatever became of the first call, the gateway's order is found or made now.

    None where the order no longer waits for a payment, too.
    """
    with database.read() as session:
        order = orders.find_order(session, order_public_id)
    if order is None:
        return None
    try:
        return payments.start_payment(database, order_id=order.id, gateway=gateway, now=now)
    except (NotPayable, GatewayError) as error:
        log.warning("payment not started", order_number=order.order_number, reason=str(error))
        return None
