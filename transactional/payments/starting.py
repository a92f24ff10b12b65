"""Starting a payment: our request is committed before the gateway hears of it, so no answer can be lost for good."""

from datetime import datetime

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from transactional.core.errors import Conflict
from transactional.core.uow import Database
from transactional.orders import service as orders
from transactional.payments.gateway import OrderSnapshot, PaymentGateway, Unknown
from transactional.payments.models import GatewayOrder

log = structlog.stdlib.get_logger("transactional.payments")


class NotPayable(Conflict):
    """The order does not wait for an online payment."""

    code = "order-not-payable"
    title = "This order cannot be paid now"


def start_payment(database: Database, *, order_id: int, gateway: PaymentGateway, now: datetime) -> GatewayOrder:
    """Give the gateway's order that the shopper pays; the same one as long as the amount is the same.

    Three steps: our row with its receipt is committed, the gateway is called outside of any transaction, its id is
    posted. After a lost answer the receipt is looked up before anything is created again. Raises NotPayable, NotFound
    or the gateway's errors.
    """
    request, is_new = database.run(
        lambda session: _write_request(session, order_id, gateway.name, now), actor="payments"
    )
    if request.gateway_order_id is not None:
        return request
    snapshot = _create(gateway, request, look_first=not is_new)
    return database.run(lambda session: post_gateway_order(session, request.id, snapshot), actor="payments")


def _write_request(session: Session, order_id: int, gateway: str, now: datetime) -> tuple[GatewayOrder, bool]:
    """Our request for the order's total, and whether it is new: then with the next receipt."""
    order = orders.lock_order(session, order_id)  # two starts at once: the second finds the first one's row
    _require_payable(order, now)
    present = _present_request(session, order, gateway)
    if present is not None:
        return present, False
    count = session.scalar(select(func.count()).where(GatewayOrder.order_id == order.id)) or 0
    request = GatewayOrder(
        order_id=order.id,
        gateway=gateway,
        receipt=f"{order.order_number}-{count + 1}",
        amount_minor=order.total_minor,
        currency=order.currency,
        created_at=now,
    )
    session.add(request)
    session.flush()
    return request, True


def _require_payable(order: orders.Order, now: datetime) -> None:
    if order.status is not orders.OrderStatus.AWAITING_PAYMENT:
        raise NotPayable(f"order {order.order_number} is {order.status}, not awaiting payment")
    if order.payment_mode is not orders.PaymentMode.ONLINE or order.total_minor < 1:
        raise NotPayable(f"order {order.order_number} is not paid online")
    if order.expires_at is not None and order.expires_at <= now:
        raise NotPayable(f"the time to pay order {order.order_number} is over")


def _present_request(session: Session, order: orders.Order, gateway: str) -> GatewayOrder | None:
    statement = (
        select(GatewayOrder)
        .where(
            GatewayOrder.order_id == order.id,
            GatewayOrder.gateway == gateway,
            GatewayOrder.amount_minor == order.total_minor,
            GatewayOrder.currency == order.currency,
        )
        .order_by(GatewayOrder.id)
        .limit(1)
    )
    return session.scalar(statement)


def _create(gateway: PaymentGateway, request: GatewayOrder, *, look_first: bool) -> OrderSnapshot:
    """The gateway's order for a request. `look_first` where an earlier call may have come through unheard."""
    if look_first:
        found = find_by_receipt(gateway, request)
        if found is not None:
            return found
    try:
        return _call(gateway, request)
    except Unknown as error:
        log.warning("gateway order unclear", receipt=request.receipt, reason=str(error))
        return find_by_receipt(gateway, request) or _call(gateway, request)


def _call(gateway: PaymentGateway, request: GatewayOrder) -> OrderSnapshot:
    return gateway.create_order(
        amount_minor=request.amount_minor,
        currency=request.currency,
        receipt=request.receipt,
        notes={"receipt": request.receipt},
    )


def find_by_receipt(gateway: PaymentGateway, request: GatewayOrder) -> OrderSnapshot | None:
    """The oldest order at the gateway with our receipt, amount and currency; a younger twin is never paid."""
    wanted = (request.amount_minor, request.currency)
    orders_found = gateway.orders_by_receipt(request.receipt)
    return next((order for order in orders_found if (order.amount_minor, order.currency) == wanted), None)


def post_gateway_order(session: Session, request_id: int, snapshot: OrderSnapshot) -> GatewayOrder:
    """Write the gateway's id on our request, unless another call was faster: then that one's id counts."""
    session.execute(
        update(GatewayOrder)
        .where(GatewayOrder.id == request_id, GatewayOrder.gateway_order_id.is_(None))
        .values(gateway_order_id=snapshot.order_id)
    )
    return session.get_one(GatewayOrder, request_id, populate_existing=True)
