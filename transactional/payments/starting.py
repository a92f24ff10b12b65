"""Starting a payment: our request is committed before the gateway hears of it, so no answer can be lost for good."""

from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import exists, func, select, update
from sqlalchemy.orm import Session

from transactional.core.errors import Conflict
from transactional.core.uow import Database
from transactional.orders import service as orders
from transactional.payments.gateway import OrderSnapshot, PaymentGateway, Unknown
from transactional.payments.models import GatewayOrder, Payment, RequestPurpose

log = structlog.stdlib.get_logger("transactional.payments")


class NotPayable(Conflict):
    """The order does not wait for an online payment."""

    code = "order-not-payable"
    title = "This order cannot be paid now"


class NotApproved(NotPayable):
    """Something is made to order, and the customer has not agreed to it, or not to this content."""

    code = "order-not-approved"
    title = "This order waits for its approval"


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is to be asked for."""

    amount_minor: int
    purpose: RequestPurpose
    approval: orders.OrderApproval | None

    @property
    def approval_sha256(self) -> str | None:
        return self.approval.content_sha256 if self.approval is not None else None

    @property
    def expires_at(self) -> datetime | None:
        return self.approval.expires_at if self.approval is not None else None


def start_payment(database: Database, *, order_id: int, gateway: PaymentGateway, now: datetime) -> GatewayOrder:
    """Give the gateway's order that the shopper pays; the same one as long as amount and approved content are the same.

    Three steps: our row with its receipt is committed, the gateway is called outside of any transaction, its id is
    posted. After a lost answer the receipt is looked up before anything is created again. What is asked for is what
    the order has due now: all of it, or what a change added. Raises NotPayable, NotApproved, NotFound or the gateway's
    errors.
    """
    request, is_new = database.run(
        lambda session: _write_request(session, order_id, gateway.name, now), actor="payments"
    )
    if request.gateway_order_id is not None:
        return request
    snapshot = create_at_gateway(gateway, request, look_first=not is_new)
    return database.run(lambda session: post_gateway_order(session, request.id, snapshot), actor="payments")


def _write_request(session: Session, order_id: int, gateway: str, now: datetime) -> tuple[GatewayOrder, bool]:
    """Our request for what the order has due, and whether it is new: then with the next receipt."""
    order = orders.lock_order(session, order_id)  # two starts at once: the second finds the first one's row
    wanted = _wanted(session, order, now)
    present = _present_request(session, order, wanted, gateway)
    if present is not None:
        return present, False
    count = session.scalar(select(func.count()).where(GatewayOrder.order_id == order.id)) or 0
    request = GatewayOrder(
        order_id=order.id,
        gateway=gateway,
        receipt=f"{order.order_number}-{count + 1}",
        amount_minor=wanted.amount_minor,
        currency=order.currency,
        purpose=wanted.purpose,
        approval_sha256=wanted.approval_sha256,
        expires_at=wanted.expires_at,
        created_at=now,
    )
    session.add(request)
    session.flush()
    return request, True


def _wanted(session: Session, order: orders.Order, now: datetime) -> _Wanted:
    """What the order has due. Raises NotPayable and NotApproved."""
    amount = orders.amount_due(session, order.id)
    if order.status is orders.OrderStatus.AWAITING_EXTRA_PAYMENT and amount > 0:
        return _Wanted(amount, RequestPurpose.EXTRA, None)
    if order.status is orders.OrderStatus.AWAITING_APPROVAL:
        raise NotApproved(f"order {order.order_number} is made to order: the design has to be approved before")
    if order.status is not orders.OrderStatus.AWAITING_PAYMENT:
        raise NotPayable(f"order {order.order_number} is {order.status}, not awaiting payment")
    if order.payment_mode is not orders.PaymentMode.ONLINE or amount < 1:
        raise NotPayable(f"order {order.order_number} is not paid online")
    if order.expires_at is not None and order.expires_at <= now:
        raise NotPayable(f"the time to pay order {order.order_number} is over")
    return _Wanted(amount, RequestPurpose.ORDER, _approval(session, order, now))


def _approval(session: Session, order: orders.Order, now: datetime) -> orders.OrderApproval | None:
    if not orders.order_needs_approval(session, order.id):
        return None
    approval = orders.live_approval(session, order.id, now)
    if approval is None:
        raise NotApproved(f"order {order.order_number} has no approval, or its approval has expired")
    return approval


def _present_request(session: Session, order: orders.Order, wanted: _Wanted, gateway: str) -> GatewayOrder | None:
    """An earlier request for the same that nobody has paid yet."""
    paid = exists().where(Payment.gateway_order_id == GatewayOrder.id, Payment.captured_minor > 0)
    statement = (
        select(GatewayOrder)
        .where(
            GatewayOrder.order_id == order.id,
            GatewayOrder.gateway == gateway,
            GatewayOrder.amount_minor == wanted.amount_minor,
            GatewayOrder.currency == order.currency,
            GatewayOrder.purpose == wanted.purpose,
            GatewayOrder.approval_sha256.is_not_distinct_from(wanted.approval_sha256),
            ~paid,
        )
        .order_by(GatewayOrder.id)
        .limit(1)
    )
    return session.scalar(statement)


def create_at_gateway(gateway: PaymentGateway, request: GatewayOrder, *, look_first: bool) -> OrderSnapshot:
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
        notes=_notes(request),
    )


def _notes(request: GatewayOrder) -> dict[str, str]:
    """What the gateway keeps for us; the hash says which content was approved for this money."""
    notes = {"receipt": request.receipt}
    if request.approval_sha256 is not None:
        notes["approval_sha256"] = request.approval_sha256
    return notes


def find_by_receipt(gateway: PaymentGateway, request: GatewayOrder) -> OrderSnapshot | None:
    """The oldest order at the gateway with our receipt, amount and currency; a younger twin is never paid."""
    wanted = (request.amount_minor, request.currency)
    orders_found = gateway.orders_by_receipt(request.receipt)
    return next((order for order in orders_found if (order.amount_minor, order.currency) == wanted), None)


def post_gateway_order(session: Session, request_id: int, snapshot: OrderSnapshot) -> GatewayOrder:
    """Write the gateway's id on our request, unless another call was faster: then that one's id counts."""
    posted = session.scalar(
        update(GatewayOrder)
        .where(GatewayOrder.id == request_id, GatewayOrder.gateway_order_id.is_(None))
        .values(gateway_order_id=snapshot.order_id)
        .returning(GatewayOrder)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return posted or session.get_one(GatewayOrder, request_id, populate_existing=True)
